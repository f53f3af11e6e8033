"""Parts become one file with exactly the kept IDs, one valid line each."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from tmdb_scrapy.kinds import Kind
from tmdb_scrapy.records import collected
from tmdb_scrapy.records.part import merged_file, parts_directory
from tmdb_scrapy.records.record import id_in

BUFFER_BYTES = 1 << 20
SYNC_BYTES = 64 << 20
"""So much is read between two syncs: the disk writes while the next lines are looked at."""
KEPT = ord("k")
WRITTEN = ord("w")


@dataclass(slots=True)
class Merged:
    """What a merge did, in lines."""

    path: Path
    written: int = 0
    duplicates: int = 0
    """Lines of an ID that had been written already: it was fetched twice."""
    unsettled: int = 0
    """Lines of IDs that the ledger does not call kept: their worker died before it settled them."""
    torn: int = 0
    """Lines that are no whole record: a worker died while it wrote."""
    without_line: int = 0
    """IDs that the ledger calls kept but no part has, though it would be here."""
    elsewhere: int = 0
    """IDs without a line here that were kept since parts of other machines were last collected."""
    not_kept_any_more: int = 0
    """Lines of the earlier merged file whose IDs the ledger does not call kept now."""


def merge(data_dir: Path, kind: Kind, ledger: bytes, report: Callable[[int], None]) -> Merged:
    """Merge all parts of a kind into `merged_file`, replacing it at once when all is written.

    `ledger` must be read before the call: what it calls kept is in the parts by then. `report` is called
    with the bytes read since the last call. Of several lines of an ID the one in the newest part is taken;
    lines of an earlier merged file fill in for parts that are no longer there. Memory: the ledger, and a
    line. Raises `OSError`.
    """
    target = merged_file(data_dir, kind)
    target.parent.mkdir(parents=True, exist_ok=True)
    result = Merged(target)
    states = bytearray(ledger)
    temporary = target.with_name(f"{target.name}.{os.getpid()}.partial")
    try:
        with temporary.open("wb", buffering=BUFFER_BYTES) as output, ThreadPoolExecutor(1) as thread:
            disk = _Disk(output, thread)

            def advanced(count: int) -> None:
                report(count)
                disk.advance(count)

            for part in _newest_first(parts_directory(data_dir, kind)):
                _copy(part, output, states, result, advanced)
            earlier = Merged(target)
            if target.exists():
                _copy(target, output, states, earlier, advanced)
            disk.finish()
        temporary.replace(target)
    finally:
        temporary.unlink(missing_ok=True)
    result.written += earlier.written
    result.not_kept_any_more = earlier.unsettled
    _count_without_line(result, states, collected.expected(data_dir, kind, ledger))
    return result


def _count_without_line(result: Merged, states: bytearray, expected: bytes) -> None:
    position = states.find(KEPT)
    while position >= 0:
        if expected[position] == KEPT:
            result.without_line += 1
        else:
            result.elsewhere += 1
        position = states.find(KEPT, position + 1)


def _newest_first(directory: Path) -> list[Path]:
    """The parts by the time of their last line, so that a record fetched anew replaces an old one."""
    parts = [(part.stat().st_mtime_ns, part) for part in directory.glob("*.jsonl")]
    return [part for _, part in sorted(parts, reverse=True)]


class _Disk:
    """Writes a file out in a thread while more of it comes, so that the last sync has little left to do."""

    def __init__(self, file: BinaryIO, thread: ThreadPoolExecutor) -> None:
        self._file = file
        self._thread = thread
        self._syncing: Future[None] | None = None
        self._bytes = 0

    def advance(self, count: int) -> None:
        """`count` more bytes are on their way. Raises `OSError` when the disk refused earlier ones."""
        self._bytes += count
        if self._bytes >= SYNC_BYTES and (self._syncing is None or self._syncing.done()):
            self._check()
            self._syncing = self._thread.submit(os.fdatasync, self._file.fileno())
            self._bytes = 0

    def finish(self) -> None:
        """All is on disk when this returns. Raises `OSError`."""
        self._file.flush()
        self._check()
        os.fsync(self._file.fileno())

    def _check(self) -> None:
        """A refusal is reported to one sync only: were it overlooked, the next would succeed."""
        if self._syncing is not None:
            self._syncing.result()


def _copy(
    source: Path,
    output: BinaryIO,
    states: bytearray,
    counted: Merged,
    report: Callable[[int], None],
) -> None:
    """Write the lines of `source` whose IDs are kept and not written yet, and mark these in `states`."""
    unreported = 0
    for line, tmdb_id in identified_lines(source):
        unreported += len(line)
        if unreported >= BUFFER_BYTES:
            report(unreported)
            unreported = 0
        if tmdb_id is None:
            counted.torn += 1
            continue
        state = states[tmdb_id] if 0 <= tmdb_id < len(states) else 0
        if state == KEPT:
            output.write(line)
            states[tmdb_id] = WRITTEN
            counted.written += 1
        elif state == WRITTEN:
            counted.duplicates += 1
        else:
            counted.unsettled += 1
    report(unreported)


def identified_lines(path: Path) -> Iterator[tuple[bytes, int | None]]:
    """Each line of a JSON-lines file with the ID of its record; None for a line that is no whole record."""
    with path.open("rb", buffering=BUFFER_BYTES) as lines:
        for line in lines:
            yield line, id_in(line)
