"""Merging parts, beside `cat` of the same parts to the same disk."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

import msgspec
import redis

from benchmarks.bodies import APPENDED, SEED
from benchmarks.figures import Goal, Outcome, ratios
from benchmarks.processes import run
from benchmarks.scenarios.seeding import command_environment
from benchmarks.workbench import Workbench
from tmdb_scrapy.queue.keys import Keys
from tmdb_scrapy.sandbox.catalogue import Catalogue

LINE_BYTES = 5_000
PARTS = 4
COPIES = 3
"""The parts, the merged file, and what `cat` writes are on the disk at a time."""


def merging(bench: Workbench) -> Outcome:
    """`scrapy merge movies` as a whole process, beside `cat`; both make sure that all is on the disk."""
    outcome = Outcome("merging")
    lines = bench.sizes.merge_lines
    needed = lines * LINE_BYTES * COPIES
    if shutil.disk_usage(bench.place).free < needed + (1 << 30):
        outcome.remarks.append(f"left out: it needs {needed / 1e9:.0f} GB of free disk, see --directory")
        return outcome
    data = bench.new_directory("merging") / "data"
    parts = _write_parts(data / "movies" / "parts", lines)
    _keep_all(bench, lines)
    merge = [sys.executable, "-m", "scrapy", "merge", "movies"]
    cat = ["sh", "-c", 'cat "$@" > copy && sync copy', "cat", *map(str, parts)]
    merged, copied, peaks = [], [], []
    for _ in range(bench.sizes.runs):
        copied.append(run(cat, data.parent, bench.environment, bench.cores.crawler).wall_s)
        (data.parent / "copy").unlink()
        ran = run(merge, data.parent, command_environment(bench, data), bench.cores.crawler)
        merged.append(ran.wall_s)
        peaks.append(ran.peak_bytes / 1e6)
        (data / "movies.jsonl").unlink()
    shutil.rmtree(data.parent)
    outcome.add(f"merging {lines:,} lines of 5 KB", "s", merged)
    outcome.add("cat and sync", "s", copied)
    outcome.add("merging as a multiple of cat", "×", ratios(merged, copied), Goal(2, at_most=True))
    outcome.add("peak memory", "MB", peaks)
    return outcome


def _write_parts(directory: Path, lines: int) -> list[Path]:
    directory.mkdir(parents=True)
    before, after = _template()
    paths = [directory / f"part-{number}.jsonl" for number in range(PARTS)]
    for number, path in enumerate(paths):
        with path.open("wb") as part:
            part.writelines(b"%b%d%b" % (before, tmdb_id, after) for tmdb_id in range(number, lines, PARTS))
    return paths


def _template() -> tuple[bytes, bytes]:
    """A movie's line, cut where its ID stands."""
    catalogue = Catalogue(SEED, 100, 0, LINE_BYTES)
    bodies = ((number, catalogue.movie(number, APPENDED)) for number in catalogue.movie_ids())
    number, body = next((number, body) for number, body in bodies if body and len(body) == LINE_BYTES)
    assert msgspec.json.decode(body)["id"] == number
    before, marker, after = body.partition(b'"id":%d,"imdb_id"' % number)
    if not marker:
        raise RuntimeError("the sandbox's movies have another form than the benchmark expects")
    return before + b'"id":', b',"imdb_id"' + after + b"\n"


def _keep_all(bench: Workbench, lines: int) -> None:
    """A ledger that calls every ID kept."""
    with redis.Redis(port=bench.redis.port) as client:
        client.flushall()
        client.set(Keys("movies").ledger, b"k" * lines)
