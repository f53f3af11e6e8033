"""Crawl after crawl under random faults, for hours: ``python tests/e2e/soak.py --hours 8 --seed 1``.

Each crawl has a seed of its own, printed before it starts; the same seed strikes with the same faults in the
same order. Stops at the first crawl that is not exact, leaves its files where they are, and exits with 1.
"""

from __future__ import annotations

import argparse
import itertools
import random
import shutil
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path
from typing import NamedTuple

sys.path.insert(0, str(Path(__file__).parents[1]))  # run by hand, it lacks pytest's pythonpath
from crawl import Crawl
from faults import FAULTS

FAULTY_SHARES = ("500", "503", "reset", "truncate", "malformed", "html", "slow")
DRAIN_TIMEOUT_S = 900.0
"""Longest time from the last fault to the end: an ID that failed five times waits half a minute alone."""


def main() -> int:
    options = _options()
    end = time.monotonic() + options.hours * 3600
    crawls: list[Survived] = []
    for seed in itertools.count(options.seed):
        directory = Path(tempfile.mkdtemp(prefix=f"soak-{seed}-"))
        started_at = time.monotonic()
        print(f"seed {seed}: in {directory}", flush=True)
        try:
            survived = one_crawl(directory, random.Random(seed), options.movies)
        except Exception as error:
            print(f"seed {seed}: NOT EXACT: {error}\nits files: {directory}", file=sys.stderr)
            return 1
        shutil.rmtree(directory)
        crawls.append(survived)
        took_s = time.monotonic() - started_at
        print(
            f"seed {seed}: exact, {survived.ids:,} IDs, {survived.twice:,} fetched twice, {took_s:.0f} s",
            flush=True,
        )
        if time.monotonic() >= end:
            break
    struck = sum((crawl.struck for crawl in crawls), Counter[str]())
    ids, lost, twice = (sum(counts) for counts in zip(*(crawl[:3] for crawl in crawls), strict=True))
    print(
        f"{len(crawls)} crawls exact: {ids:,} IDs, {lost} lost, {twice:,} fetched twice; "
        f"{struck.total()} faults:"
    )
    for name, count in struck.most_common():
        print(f"  {name:26} {count:,}")
    return 0


class Survived(NamedTuple):
    """What a crawl came through, in IDs, and which faults struck how often."""

    ids: int
    lost: int
    twice: int
    struck: Counter[str]


def one_crawl(directory: Path, chance: random.Random, movies: int) -> Survived:
    """One crawl under faults to its exact end.

    Raises AssertionError when an ID is lost, doubled or wrong.
    """
    shares = {fault: round(chance.uniform(0, 0.04), 3) for fault in FAULTY_SHARES}
    sandbox = [option for fault, share in shares.items() for option in ("--fault", f"{fault}={share}")]
    sandbox += ["--movies", str(movies), "--seed", str(chance.randrange(1 << 30)), "--latency-ms", "30"]
    processes = chance.randint(2, 4)
    struck: Counter[str] = Counter()
    with Crawl(directory, sandbox, PROCESSES=str(processes), RATE_LIMIT="200", THREADS="40") as crawl:
        crawl.seed()
        crawl.start(processes)
        while crawl.queued() > movies // 20:
            fault = chance.choice(FAULTS)
            print(f"  {crawl.settled():,} settled: {fault.__name__}", flush=True)
            fault(crawl, random.Random(chance.random()))  # its own: how much it draws depends on the time
            struck[fault.__name__] += 1
        crawl.finish(DRAIN_TIMEOUT_S)
        crawl.assert_exact()
        return Survived(len(crawl.ledger()), crawl.lost(), crawl.fetched_twice(), struck)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--hours", type=float, default=1.0, help="at least so long (default: 1)")
    parser.add_argument("--seed", type=int, default=1, help="of the first crawl (default: 1)")
    parser.add_argument("--movies", type=int, default=5000, metavar="N", help="in each crawl (default: 5000)")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
