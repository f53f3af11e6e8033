"""Parts become one file: the newest line of each ID that has a right to one, checked and copied, not parsed.

The new lines go first, then what stays of the earlier file. So a line that is not as it was written is found
before the earlier line of its ID is left out.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from isal.isal_zlib import crc32

from tmdb_scrapy import privacy
from tmdb_scrapy.kinds import Kind
from tmdb_scrapy.queue import State
from tmdb_scrapy.records import collected
from tmdb_scrapy.records import ledger as ledgers
from tmdb_scrapy.records.changes import Changes, changes_of
from tmdb_scrapy.records.chosen import EARLIER, FIRST_PART, NOWHERE, PLACED, Chosen
from tmdb_scrapy.records.earlier import Earlier, merged_header, open_earlier
from tmdb_scrapy.records.index import Entry, Header, index_of
from tmdb_scrapy.records.lines import PartLines, write_unfinished_index
from tmdb_scrapy.records.output import Output
from tmdb_scrapy.records.part import merged_file, parts_directory
from tmdb_scrapy.records.stretches import Stretches

BATCH_BYTES = 1 << 18
KEPT = State.KEPT.value
Report = Callable[[int, int], object]
"""Called with the bytes dealt with since the last call, and how many there are in all."""


class MergeIsRunning(Exception):
    """Another merge of that kind is at work."""


@dataclass(slots=True)
class Merged:
    """What a merge did, in lines."""

    path: Path
    parts: int = 0
    written: int = 0
    """Lines that the file has now."""
    added: int = 0
    updated: int = 0
    removed: int = 0
    duplicates: int = 0
    """Lines of parts that are older than another of a part: the ID was fetched again."""
    unsettled: int = 0
    """Lines of parts whose IDs have no right to one: their worker died before it settled them, or they were
    dropped since."""
    torn: int = 0
    """Lines that are no whole record, among those that no index has."""
    spoilt: list[int] = field(default_factory=list)
    """IDs whose newest line is not as it was written."""
    not_kept: int = 0
    """Lines of IDs that are not kept, and stay because no settled outcome speaks against them."""
    without_line: int = 0
    """IDs that the ledger calls kept but no part has, though it would be here. Without the spoilt ones."""
    elsewhere: int = 0
    """IDs without a line here that were kept since parts of other machines were last collected."""


def merge(
    data_dir: Path, kind: Kind, ledger: bytes, report: Report, *, drop: bool = False, check: bool = False
) -> Merged:
    """Bring `merged_file`, its index and its changes up to date, replacing each at once when all is written.

    `ledger` must be read before the call: what it calls kept is in the parts by then. It says which IDs have
    a line (`tmdb_scrapy.records.ledger`; with `drop` the kept ones only); the time of the answer says which
    line. `check` compares the earlier file with its index first, line by line; else only new lines are.

    Memory: the ledger, 28 bytes a line, 4 for each possible ID, and a batch of lines.

    Raises `OSError`, and `MergeIsRunning`; the earlier file is untouched then.
    """
    target = merged_file(data_dir, kind)
    with alone(data_dir / kind.name), open_earlier(target, check=check) as earlier:
        parts = [PartLines(path) for path in sorted(parts_directory(data_dir, kind).glob("*.jsonl"))]
        job = _Merge(target, earlier, parts, ledger, report)
        job.choose(drop)
        try:
            job.write()
        finally:
            job.remove_unfinished()
        job.count_lines(collected.expected(data_dir, kind, ledger))
        return job.result


@contextlib.contextmanager
def alone(directory: Path) -> Iterator[None]:
    """One merge at a time: of two, the later would undo what the earlier wrote. The lock ends with its
    process. Raises `MergeIsRunning`."""
    privacy.open_directory(directory)
    with privacy.lock(directory / "merge.lock") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise MergeIsRunning(f"another merge is at work in {directory.parent}") from None
        yield


class _Merge:
    def __init__(
        self, target: Path, earlier: Earlier | None, parts: list[PartLines], ledger: bytes, report: Report
    ) -> None:
        self.result = Merged(target, parts=len(parts))
        self._target = target
        self._earlier = earlier
        self._earlier_rows = len(earlier) if earlier else 0
        self._spoilt_before = frozenset(earlier.spoilt if earlier else ())
        self._parts = parts
        self._ledger = ledger
        self._standings = b""
        self._chosen = Chosen()
        self._total = sum(part.size for part in parts) + (earlier.size if earlier else 0)
        self._report = report
        self._out = Stretches(earlier.size if earlier else 0)
        self._unfinished, self._unfinished_index, self._unfinished_changes = (
            path.with_name(f"{path.name}.partial") for path in (target, index_of(target), changes_of(target))
        )

    def choose(self, drop: bool) -> None:
        """Which line of each ID it is to be."""
        self._standings = ledgers.standings(self._ledger)
        if drop:
            self._standings = self._standings.replace(ledgers.OPEN, ledgers.GONE)
        unknown = ledgers.GONE if drop else ledgers.OPEN
        chosen = self._chosen
        if self._earlier:
            chosen.load(self._earlier.index.path)
            for tmdb_id, row in chosen.rows_by_id():
                if (self._standings[tmdb_id : tmdb_id + 1] or unknown) == ledgers.GONE:
                    chosen.source[row] = NOWHERE
            for tmdb_id in self._earlier.spoilt:
                chosen.set_aside(chosen.row(tmdb_id))
        for source, part in enumerate(self._parts, FIRST_PART):
            for entry in part:
                standing = self._standings[entry.id : entry.id + 1] or unknown
                if standing == ledgers.KEPT or (standing == ledgers.OPEN and chosen.row(entry.id) >= 0):
                    self.result.duplicates += chosen.offer(entry, source)
                else:
                    self.result.unsettled += 1
            self.result.torn += part.torn

    def write(self) -> None:
        """Write what has changed, and put it in its place."""
        with Output(self._unfinished, self._reported) as output, Changes(self._unfinished_changes) as changes:
            for source, part in enumerate(self._parts, FIRST_PART):
                self._copy_new(part, source, output, changes)
            self._take_out(changes)
            for change, count in changes.counts.items():
                setattr(self.result, change, count)
            if self._earlier and not self._out and not output.size:
                unchanged = self._target.stat()
                self._write_index(lambda: merged_header(unchanged))
                self._unfinished_index.replace(index_of(self._target))
                return
            self._copy_what_stays(output)
            finished = output.finish()
            changes.finish()
            self._write_index(lambda: merged_header(finished()))
        # Whoever looks between two of these finds an index that does not fit, which nobody trusts.
        self._unfinished_index.replace(index_of(self._target))
        self._unfinished_changes.replace(changes_of(self._target))
        self._unfinished.replace(self._target)
        _sync_directory(self._target.parent)

    def _copy_new(self, part: PartLines, source: int, output: Output, changes: Changes) -> None:
        with part.path.open("rb", buffering=0) as file:
            for batch in self._batches(part, source):
                start, end = batch[0].offset, batch[-1].offset + batch[-1].length
                self._copy_batch(batch, os.pread(file.fileno(), end - start, start), output, changes)

    def _copy_batch(self, batch: list[Entry], lines: bytes, output: Output, changes: Changes) -> None:
        """Lines that lie one after another, written at once but for those that are spoilt."""
        chosen, content = self._chosen, memoryview(lines)
        start = unwritten = batch[0].offset
        for entry in batch:
            begin, end = entry.offset - start, entry.offset - start + entry.length
            row = chosen.row(entry.id)
            if crc32(content[begin:end]) != entry.crc:
                self.result.spoilt.append(entry.id)
                self._fall_back(row)
                output.write(content[unwritten - start : begin])
                unwritten = start + end
                continue
            chosen.source[row], chosen.offset[row] = PLACED, output.size + entry.offset - unwritten
            changes.add(entry.id, "updated" if row < self._earlier_rows else "added")
        output.write(content[unwritten - start :])

    def _batches(self, part: PartLines, source: int) -> Iterator[list[Entry]]:
        """The lines of a part that are to be copied, as many as lie one after another at a time."""
        chosen, batch, begin, end = self._chosen, list[Entry](), 0, 0
        dealt_with = 0
        for entry in part:
            row = chosen.row(entry.id)
            if row < 0 or chosen.source[row] != source or chosen.offset[row] != entry.offset:
                continue
            if self._is_the_same(row, entry):
                continue
            if batch and (entry.offset != end or end - begin >= BATCH_BYTES):
                yield batch
                self._reported(end - dealt_with)
                dealt_with, batch = end, []
            if not batch:
                begin = entry.offset
            batch.append(entry)
            end = entry.offset + entry.length
        if batch:
            yield batch
        self._reported(part.size - dealt_with)

    def _is_the_same(self, row: int, entry: Entry) -> bool:
        """Whether a record was fetched again and found the same: its line stays where it is, with the newer
        time. By length and CRC-32: of four billion records that did change, one is taken for the same."""
        if not self._has_before(row):
            return False
        before = self._before(row)
        if (before.length, before.crc) != (entry.length, entry.crc):
            return False
        self._chosen.source[row], self._chosen.offset[row] = EARLIER, before.offset
        return True

    def _fall_back(self, row: int) -> None:
        """A spoilt line is not written. What the earlier file has of its ID stays: it was the newest when it
        was merged. A line of another part does not come instead: nobody has ever been given it."""
        if self._has_before(row):
            self._chosen.replace(row, self._before(row), EARLIER)
        else:
            self._chosen.source[row] = NOWHERE

    def _has_before(self, row: int) -> bool:
        """Whether the earlier file has a good line of the ID."""
        return row < self._earlier_rows and self._before(row).id not in self._spoilt_before

    def _before(self, row: int) -> Entry:
        assert self._earlier is not None
        return self._earlier.index.entry(row)

    def _take_out(self, changes: Changes) -> None:
        for row in range(self._earlier_rows):
            source = self._chosen.source[row]
            if source != EARLIER:
                before = self._before(row)
                self._out.take_out(before.offset, before.length)
                if source == NOWHERE:
                    changes.add(before.id, "removed")
        for offset, length in self._earlier.damage if self._earlier else ():
            self._out.take_out(offset, length)
            self.result.torn += 1

    def _copy_what_stays(self, output: Output) -> None:
        if self._earlier is None:
            return
        ahead, chosen = output.size, self._chosen
        with self._earlier.path.open("rb", buffering=0) as file:
            for start, end in self._out.left():
                output.copy(file, start, end)
        self._reported(self._earlier.size - (output.size - ahead))
        for row in range(self._earlier_rows):
            if chosen.source[row] == EARLIER:
                offset = chosen.offset[row]
                chosen.offset[row] = ahead + offset - self._out.taken_before(offset)

    def _write_index(self, header: Callable[[], Header]) -> None:
        write_unfinished_index(self._unfinished_index, self._chosen.entries(), header)

    def _reported(self, count: int) -> None:
        self._report(count, self._total)

    def remove_unfinished(self) -> None:
        for path in (self._unfinished, self._unfinished_index, self._unfinished_changes):
            path.unlink(missing_ok=True)

    def count_lines(self, expected: bytes) -> None:
        """Compare the lines with the ledger."""
        states, result = bytearray(self._ledger), self.result
        for tmdb_id, row in self._chosen.rows_by_id():
            if self._chosen.source[row] != NOWHERE:
                result.written += 1
                result.not_kept += self._standings[tmdb_id : tmdb_id + 1] != ledgers.KEPT
                states[tmdb_id : tmdb_id + 1] = b"\0"
        if self._earlier:
            result.spoilt += (each for each in self._earlier.spoilt if states[each : each + 1] == KEPT)
        for tmdb_id in result.spoilt:
            states[tmdb_id : tmdb_id + 1] = b"\0"
        position = states.find(KEPT)
        while position >= 0:
            if expected[position : position + 1] == KEPT:
                result.without_line += 1
            else:
                result.elsewhere += 1
            position = states.find(KEPT, position + 1)


def _sync_directory(directory: Path) -> None:
    descriptor = os.open(directory, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
