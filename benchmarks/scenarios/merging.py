"""Merging parts, beside `cat` of the same parts to the same disk."""

from __future__ import annotations

import os
import shutil
import sys
import time
import zlib
from collections.abc import Callable
from pathlib import Path

import msgspec
import redis

from benchmarks.bodies import APPENDED, SEED
from benchmarks.figures import Goal, Outcome, ratios
from benchmarks.processes import Ran, run
from benchmarks.scenarios.seeding import command_environment
from benchmarks.workbench import Workbench
from tmdb_scrapy.queue.keys import Keys
from tmdb_scrapy.records.columns import from_single, write_index
from tmdb_scrapy.records.index import Entry, index_of, part_header
from tmdb_scrapy.sandbox.catalogue.generated import GeneratedCatalogue

LINE_BYTES = 5_000
PARTS = 4
COPIES = 3
"""The parts, the merged file, and what `cat` writes are on the disk at a time."""
CHANGED = 100
"""One line in so many is fetched again before an update is merged."""
FEW = 10
"""The peak is compared with that of merging one line in so many."""


def merging(bench: Workbench) -> Outcome:
    """`scrapy merge movies` as a whole process, beside `cat`; both make sure that all is on the disk."""
    return _compare("merging", bench, bench.sizes.merge_lines)


def merging_full(bench: Workbench) -> Outcome:
    """The same with a million lines: 15 GB of disk."""
    return _compare("merging-full", bench, bench.sizes.full_merge_lines)


def _compare(scenario: str, bench: Workbench, lines: int) -> Outcome:
    outcome = Outcome(scenario)
    needed = lines * LINE_BYTES * COPIES
    if shutil.disk_usage(bench.place).free < needed + (1 << 30):
        outcome.remarks.append(f"left out: it needs {needed / 1e9:.0f} GB of free disk, see --directory")
        return outcome
    few_peak_mb = _peak_mb(_few(bench, lines // FEW))
    merged, copied = _pairs(bench, lines)
    peaks = [_peak_mb(ran) for ran in merged]
    merged_s, copied_s = [ran.wall_s for ran in merged], [ran.wall_s for ran in copied]
    outcome.add(f"merging {lines:,} lines of 5 KB", "s", merged_s)
    outcome.add("cat and sync", "s", copied_s)
    outcome.add("merging as a multiple of cat", "×", ratios(merged_s, copied_s), Goal(2, at_most=True))
    outcome.add("merging an update of 1 % as a multiple of copying the file", "×", *_updates(bench, lines))
    outcome.add("peak memory", "MB", peaks)
    further = lines - lines // FEW
    growth = [(peak - few_peak_mb) * 1e6 / further for peak in peaks]
    outcome.add("growth of the peak for each further line", "B", growth, Goal(40, at_most=True))
    return outcome


def _few(bench: Workbench, lines: int) -> Ran:
    """One merge of so many lines."""
    place = _Place(bench, lines)
    try:
        return place.merge()
    finally:
        place.remove()


def _pairs(bench: Workbench, lines: int) -> tuple[list[Ran], list[Ran]]:
    """Merges and copies of the same parts, turn and turn about."""
    place = _Place(bench, lines)
    merged: list[Ran] = []
    copied: list[Ran] = []
    turns: list[tuple[list[Ran], Callable[[], Ran]]] = [(copied, place.cat), (merged, place.merge)]
    for _ in range(bench.sizes.pairs):
        for runs, once in turns:
            runs.append(once())
        turns.reverse()  # neither is always the one that comes after the other
    place.remove()
    return merged, copied


def _updates(bench: Workbench, lines: int) -> tuple[list[float], Goal]:
    """Merges of an update, each beside a copy of the merged file."""
    place = _Place(bench, lines)
    place.merge(keep=True)
    times: list[float] = []
    for turn in range(1, bench.sizes.pairs + 1):
        place.change(turn)
        copied_s = place.copy().wall_s
        times.append(place.merge(keep=True).wall_s / copied_s)
    place.remove()
    return times, Goal(1.2, at_most=True)


def _peak_mb(ran: Ran) -> float:
    return ran.peak_bytes / 1e6


class _Place:
    """Parts with `lines` lines on the disk, and a ledger that calls all of them kept."""

    def __init__(self, bench: Workbench, lines: int) -> None:
        self._bench = bench
        self._lines = lines
        self._directory = bench.new_directory("merging")
        self._data = self._directory / "data"
        self._parts = _write_parts(self._data / "movies" / "parts", lines)
        _keep_all(bench, lines)

    def merge(self, *, keep: bool = False) -> Ran:
        """`keep`: the next merge finds what this one wrote."""
        command = [sys.executable, "-m", "scrapy", "merge", "movies", *(["--prune"] if keep else [])]
        environment = command_environment(self._bench, self._data)
        merged = self._data / "movies.jsonl"
        return self._run(command, environment, [] if keep else [merged, index_of(merged)])

    def cat(self) -> Ran:
        command = ["sh", "-c", 'cat "$@" > copy && sync copy', "cat", *map(str, self._parts)]
        return self._run(command, self._bench.environment, [self._directory / "copy"])

    def copy(self) -> Ran:
        """The merged file, with the same means as `cat`."""
        command = ["sh", "-c", 'cat "$@" > copy && sync copy', "cat", str(self._data / "movies.jsonl")]
        return self._run(command, self._bench.environment, [self._directory / "copy"])

    def change(self, turn: int) -> None:
        """A part with another line for one ID in a hundred."""
        before, after = _template()
        after = after.replace(b'"popularity":', b'"update":%d,"popularity":' % turn, 1)
        _write_part(
            self._data / "movies" / "parts" / f"update-{turn}.jsonl",
            range(turn, self._lines, CHANGED), before, after,
        )  # fmt: skip

    def _run(self, command: list[str], environment: dict[str, str], outputs: list[Path]) -> Ran:
        # Else the disk would still be busy with what came before, and this run would pay for it.
        os.sync()
        ran = run(command, self._directory, environment, self._bench.cores.crawler)
        for output in outputs:
            output.unlink()
        return ran

    def remove(self) -> None:
        shutil.rmtree(self._directory)


def _write_parts(directory: Path, lines: int) -> list[Path]:
    directory.mkdir(parents=True)
    before, after = _template()
    paths = [directory / f"part-{number}.jsonl" for number in range(PARTS)]
    for number, path in enumerate(paths):
        _write_part(path, range(number, lines, PARTS), before, after)
    return paths


def _write_part(path: Path, ids: range, before: bytes, after: bytes) -> None:
    """As a worker leaves it, with its index."""
    entries: list[Entry] = []
    offset = 0
    with path.open("wb") as part:
        for tmdb_id in ids:
            line = b"%b%d%b" % (before, tmdb_id, after)
            part.write(line)
            entries.append(Entry(tmdb_id, len(line), time.time_ns(), offset, zlib.crc32(line)))
            offset += len(line)
    write_index(index_of(path), part_header(path, entries[0].answered_ns), from_single(entries))


def _template() -> tuple[bytes, bytes]:
    """A movie's line, cut where its ID stands."""
    catalogue = GeneratedCatalogue({"movies": 100}, SEED, LINE_BYTES)
    bodies = ((number, catalogue.body("movies", number, APPENDED)) for number in catalogue.ids("movies"))
    number, body = next((number, body) for number, body in bodies if body and len(body) == LINE_BYTES)
    assert msgspec.json.decode(body)["id"] == number
    before, marker, after = body.partition(b'"id":%d,"imdb_id"' % number)
    if not marker:
        raise RuntimeError("the sandbox's movies have another form than the benchmark expects")
    return before + b'"id":', b',"imdb_id"' + after + b"\n"


def _keep_all(bench: Workbench, lines: int) -> None:
    """A ledger that calls every ID kept."""
    with redis.Redis.from_url(bench.redis_url) as client:
        client.flushall()
        client.set(Keys("movies").ledger, b"k" * lines)
