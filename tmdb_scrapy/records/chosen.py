"""Which line each ID has in the merged file that is being made."""

from __future__ import annotations

import mmap
from array import array
from collections.abc import Iterator
from pathlib import Path

from tmdb_scrapy.records.index import Entry, blocks

NOWHERE = 0
"""The source of a line that does not come into the file."""
EARLIER = 1
"""The source of lines of the earlier merged file."""
PLACED = 2
"""The source of lines of parts that are in the file by now."""
FIRST_PART = 3
"""The source of lines of the first part; the others follow."""


class Chosen:
    """28 bytes a line and four for each possible ID. Rows are numbered in the order in which they came."""

    def __init__(self) -> None:
        self._row_after = _zeros(1)
        """By ID: its row + 1; 0 of an ID that has none."""
        self.source = array("I")
        self.answered_ns = array("Q")
        self.offset = array("Q")
        self.length = array("I")
        self.crc = array("I")

    def __len__(self) -> int:
        return len(self.source)

    def row(self, tmdb_id: int) -> int:
        """-1 of an ID that has none."""
        return self._row_after[tmdb_id] - 1 if tmdb_id < len(self._row_after) else -1

    def add(self, entry: Entry, source: int) -> None:
        """The first line of an ID."""
        self.source.append(source)
        self.answered_ns.append(entry.answered_ns)
        self.offset.append(entry.offset)
        self.length.append(entry.length)
        self.crc.append(entry.crc)
        self._make_room_for(entry.id)
        self._row_after[entry.id] = len(self.source)

    def _make_room_for(self, tmdb_id: int) -> None:
        known = len(self._row_after)
        if tmdb_id >= known:
            larger = _zeros(max(tmdb_id + 1, 2 * known))
            larger[:known] = self._row_after
            self._row_after = larger

    def replace(self, row: int, entry: Entry, source: int) -> None:
        """Another line for an ID that has one."""
        self.source[row] = source
        self.answered_ns[row] = entry.answered_ns
        self.offset[row] = entry.offset
        self.length[row] = entry.length
        self.crc[row] = entry.crc

    def set_aside(self, row: int) -> None:
        """The line of a row is of no use: any other of its ID is newer."""
        self.source[row] = NOWHERE
        self.answered_ns[row] = 0

    def offer(self, entry: Entry, source: int) -> bool:
        """A line of a part: taken when it is the first of its ID, or newer than the one taken before. Of two
        of the same time the later is taken, but never in place of one of the earlier file.

        Returns whether a line of a part was set aside for another of a part."""
        row = self.row(entry.id)
        if row < 0:
            self.add(entry, source)
            return False
        holder = self.source[row]
        newer_by_ns = entry.answered_ns - self.answered_ns[row]
        if newer_by_ns > 0 or (newer_by_ns == 0 and holder != EARLIER):
            self.replace(row, entry, source)
        return holder > EARLIER

    def rows_by_id(self) -> Iterator[tuple[int, int]]:
        """IDs in ascending order, with their rows."""
        for tmdb_id, row_after in enumerate(self._row_after):
            if row_after:
                yield tmdb_id, row_after - 1

    def entries(self) -> Iterator[Entry]:
        """The lines of the file by ID, once `offset` is where they lie in it."""
        for tmdb_id, row in self.rows_by_id():
            if self.source[row] != NOWHERE:
                yield Entry(tmdb_id, self.length[row], self.answered_ns[row], self.offset[row], self.crc[row])

    def load(self, index: Path) -> None:
        """Rows for the lines of the earlier file, the first ones of all: their numbers are those of its
        index. Raises `OSError`."""
        for block in blocks(index):
            words, long_words = memoryview(block).cast("I"), memoryview(block).cast("Q")
            ids = words[::8]
            self._make_room_for(max(ids))
            for row_after, tmdb_id in enumerate(ids, len(self.source) + 1):
                self._row_after[tmdb_id] = row_after
            self.source.extend([EARLIER] * len(ids))
            self.length.extend(words[1::8])
            self.answered_ns.extend(long_words[1::4])
            self.offset.extend(long_words[2::4])
            self.crc.extend(words[6::8])


def _zeros(count: int) -> memoryview:
    """So many numbers of four bytes. Pages that nothing is written to take no memory."""
    return memoryview(mmap.mmap(-1, 4 * count, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)).cast("I")
