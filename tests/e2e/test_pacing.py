"""The crawl finds the server's limit, keeps under it, and shares it: from the sandbox's own journal.

All runs take a minute and hardly any CPU, so they run at once; each has a sandbox and a Redis of its own.
"""

from __future__ import annotations

import os
import secrets
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path

import pytest
from crawl import Crawl
from needs import needs
from waiting import wait_until

from tmdb_scrapy.sandbox.journal import Entry

LIMIT = 50
"""Requests a second that the server allows, and tells nobody."""
RUN_S = 60.0
ENOUGH = ("--movies", "9000", "--latency-ms", "50", "--latency-jitter-ms", "30")


class Run:
    """The requests of one run, and when its limit was changed."""

    def __init__(self, journal: Sequence[Entry], changes: Sequence[float] = (), workers: int = 1) -> None:
        self.journal = sorted(journal, key=lambda entry: entry.t)
        self.changes = changes
        self.workers = workers
        self.first = self.journal[0].t

    def between(self, start: float, end: float) -> list[Entry]:
        return [entry for entry in self.journal if start <= entry.t < end]

    def served_per_s(self, start: float, end: float) -> float:
        return sum(entry.status != 429 for entry in self.between(start, end)) / (end - start)

    def refused_share(self, start: float, end: float) -> float:
        asked = self.between(start, end)
        return sum(entry.status == 429 for entry in asked) / max(len(asked), 1)


def unknown_limit(crawl: Crawl) -> Run:
    crawl.start(1, RATE_LIMIT="0", PROCESSES="1")
    return _after(crawl, RUN_S + 1)


def moving_limit(crawl: Crawl) -> Run:
    """Halved after 20 s, doubled 20 s later."""
    crawl.start(1, RATE_LIMIT="0", PROCESSES="1")
    _after(crawl, 20)
    halved_at = time.time()
    crawl.sandbox.set(limit_per_ip=LIMIT / 2)
    _after(crawl, 40)
    doubled_at = time.time()
    crawl.sandbox.set(limit_per_ip=LIMIT)
    _after(crawl, 78)
    return Run(crawl.journal(), [halved_at, doubled_at])


def known_limit(crawl: Crawl) -> Run:
    crawl.start(1, RATE_LIMIT="20", PROCESSES="1")
    return _after(crawl, RUN_S + 1)


def four_workers(crawl: Crawl) -> Run:
    """Each with a key of its own, so that the journal tells them apart."""
    for _ in range(4):
        crawl.start(1, RATE_LIMIT="0", PROCESSES="4", TMDB_API_KEY=secrets.token_hex(16))
    wait_until(lambda: len({entry.key for entry in crawl.journal()}) == 4, "all four ask", 60)
    return _after(crawl, RUN_S + 20)


def three_machines(crawl: Crawl) -> Run:
    """One key for all, and as many host names as machines."""
    crawl.sandbox.set(limit_per_ip=0, limit_per_key=LIMIT)
    for number in range(3):
        script = f"hostname machine-{number} && exec {sys.executable} -m scrapy crawl movies"
        crawl.start_command(
            ["unshare", "--uts", "sh", "-ec", script],
            RATE_LIMIT="0", PROCESSES="1", FLEET_RATE_LIMIT=str(LIMIT),
        )  # fmt: skip
    wait_until(lambda: len(crawl.heartbeats()) == 3, "all three beat", 60)
    return _after(crawl, RUN_S + 10)


def _after(crawl: Crawl, seconds: float) -> Run:
    """The journal once so many seconds have passed since the first request."""
    wait_until(crawl.journal, "the first request", 60)
    end = min(entry.t for entry in crawl.journal()) + seconds
    while time.time() < end:
        assert any(worker.alive for worker in crawl.workers), crawl.workers[0].output[-3000:]
        time.sleep(0.2)
    return Run(crawl.journal())


# The contended ones first: the starts of their processes are over when the single senders begin.
RUNS: dict[str, Callable[[Crawl], Run]] = {
    "four_workers": four_workers,
    "three_machines": three_machines,
    "moving_limit": moving_limit,
    "known_limit": known_limit,
    "unknown_limit": unknown_limit,
}


def _why_no_machines() -> str:
    if os.geteuid() != 0:
        return "needs root to give each machine its host name"
    probe = subprocess.run(
        ["unshare", "--uts", "hostname", "probe"], capture_output=True, text=True, check=False
    )
    return f"host names cannot be set here: {probe.stderr.strip()}" if probe.returncode else ""


def _perform(name: str, directory: Path) -> Run:
    with Crawl(directory, [*ENOUGH, "--limit-per-ip", str(LIMIT)]) as crawl:
        crawl.seed()
        run = RUNS[name](crawl)
        for worker in crawl.workers:
            worker.send(signal.SIGTERM)
        assert {worker.wait(30) for worker in crawl.workers} == {130}
        return run


@pytest.fixture(scope="module")
def runs(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[dict[str, Future[Run]]]:
    """Those runs that a chosen test takes as its fixture, on their way."""
    chosen = {
        name for item in request.session.items if isinstance(item, pytest.Function)
        for name in item.fixturenames if item.path == request.path
    }  # fmt: skip
    with ThreadPoolExecutor(len(RUNS)) as tracks:
        yield {
            name: tracks.submit(_perform, name, tmp_path_factory.mktemp(name))
            for name in RUNS
            if f"{name}_run" in chosen and not (name == "three_machines" and _why_no_machines())
        }


@pytest.fixture
def unknown_limit_run(runs: dict[str, Future[Run]]) -> Run:
    return runs["unknown_limit"].result()


@pytest.fixture
def moving_limit_run(runs: dict[str, Future[Run]]) -> Run:
    return runs["moving_limit"].result()


@pytest.fixture
def known_limit_run(runs: dict[str, Future[Run]]) -> Run:
    return runs["known_limit"].result()


@pytest.fixture
def four_workers_run(runs: dict[str, Future[Run]]) -> Run:
    return runs["four_workers"].result()


@pytest.fixture
def three_machines_run(runs: dict[str, Future[Run]]) -> Run:
    needs(_why_no_machines())
    return runs["three_machines"].result()


pytestmark = [pytest.mark.slow, pytest.mark.alone]


def test_an_unknown_limit_is_used_and_hardly_ever_exceeded(
    unknown_limit_run: Run, figures: Callable[[str], None]
) -> None:
    run = unknown_limit_run
    served = run.served_per_s(run.first, run.first + RUN_S) / LIMIT
    refused = run.refused_share(run.first, run.first + RUN_S)
    figures(f"unknown limit of {LIMIT}/s over {RUN_S:g} s: {served:.1%} of it, {refused:.2%} of answers 429")
    assert served >= 0.97
    assert refused <= 0.02


def test_a_halved_limit_is_followed_within_ten_seconds(
    moving_limit_run: Run, figures: Callable[[str], None]
) -> None:
    run, (halved_at, doubled_at) = moving_limit_run, moving_limit_run.changes
    before = run.served_per_s(halved_at - 10, halved_at)
    served = run.served_per_s(halved_at + 10, doubled_at)
    refused = run.refused_share(halved_at + 10, doubled_at)
    figures(f"limit halved: {before:.1f}/s before, {served:.1f}/s and {refused:.2%} 429 from 10 s after it")
    assert served >= 0.9 * LIMIT / 2
    assert refused <= 0.02


def test_a_doubled_limit_is_found_within_thirty_seconds(
    moving_limit_run: Run, figures: Callable[[str], None]
) -> None:
    run, (_, doubled_at) = moving_limit_run, moving_limit_run.changes
    found_s = next(
        (s for s in range(1, 35) if run.served_per_s(doubled_at + s, doubled_at + s + 3) >= 0.95 * LIMIT),
        None,
    )
    figures(f"limit doubled: found after {found_s} s")
    assert found_s is not None and found_s <= 30


def test_a_limit_of_ones_own_is_kept_to_the_request(
    known_limit_run: Run, figures: Callable[[str], None]
) -> None:
    run = known_limit_run
    times = [entry.t for entry in run.between(run.first, run.first + RUN_S)]
    rate_per_s = len(times) / RUN_S
    most = max(sum(start <= t < start + 1 for t in times[i : i + 60]) for i, start in enumerate(times))
    figures(f"RATE_LIMIT=20 over {RUN_S:g} s: {rate_per_s:.2f}/s, at most {most} in any one second")
    assert rate_per_s == pytest.approx(20, rel=0.01)
    assert most <= 25
    assert not run.refused_share(run.first, run.first + RUN_S)


def test_four_workers_share_the_limit_of_their_address(
    four_workers_run: Run, figures: Callable[[str], None]
) -> None:
    run = four_workers_run
    first_of = {key: min(e.t for e in run.journal if e.key == key) for key in {e.key for e in run.journal}}
    start = max(first_of.values())
    end = start + RUN_S
    together = run.served_per_s(start, end) / LIMIT
    served = Counter(entry.key for entry in run.between(start, end) if entry.status != 429)
    shares = sorted(count / (served.total() / 4) for count in served.values())
    refused = run.refused_share(start, end)
    figures(
        f"four workers under {LIMIT}/s: together {together:.1%}, {refused:.2%} 429, shares "
        + ", ".join(f"{share:.0%}" for share in shares)
    )
    assert len(shares) == 4
    assert together >= 0.95
    assert shares[0] >= 0.8 and shares[-1] <= 1.2


def test_three_machines_share_the_limit_of_their_key(
    three_machines_run: Run, figures: Callable[[str], None]
) -> None:
    run = three_machines_run
    start = run.first + 10
    together = run.served_per_s(start, start + RUN_S - 5) / LIMIT
    refused = sum(entry.status == 429 for entry in run.journal)
    figures(f"three machines, FLEET_RATE_LIMIT={LIMIT}: together {together:.1%}, {refused} answers 429")
    assert together >= 0.95
    assert refused == 0
