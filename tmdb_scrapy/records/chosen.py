"""Which line each ID has in the merged file that is being made."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from tmdb_scrapy.records.columns import ENTRY, Column, Entries
from tmdb_scrapy.records.index import ENTRIES_A_READ, Entry

NOWHERE = 0
"""The source of an ID that has no line in the file."""
EARLIER = 1
"""The source of lines of the earlier merged file."""
PLACED = 2
"""The source of lines of parts that are in the file by now."""
FIRST_PART = 3
"""The source of lines of the first part; the others follow."""


class Chosen:
    """A column for each thing to know of a line, with a cell for each possible ID, 29 bytes in all. Cells
    that nothing is written to take no memory. The last one is no ID's: empty, it stands for all beyond.
    """

    def __init__(self, ids: int) -> None:
        """For the IDs below `ids`."""
        self.source = np.zeros(ids + 1, np.uint32)
        self.answered_ns = np.zeros(ids + 1, np.uint64)
        self.offset = np.zeros(ids + 1, np.uint64)
        self.length = np.zeros(ids + 1, np.uint32)
        self.crc = np.zeros(ids + 1, np.uint32)
        self.was_there = np.zeros(ids + 1, np.bool_)
        """Whether the earlier file has a line of the ID, good or not."""

    def cells(self, lines: Entries) -> Column:
        """Where the columns have the IDs of these lines."""
        cells: Column = np.minimum(lines["id"], len(self.source) - 1)
        return cells

    def take(self, lines: Entries, source: int) -> None:
        """Lines of different IDs, each in place of any that its ID had."""
        ids = lines["id"]
        self.source[ids] = source
        for column in ("answered_ns", "offset", "length", "crc"):
            getattr(self, column)[ids] = lines[column]

    def offer(self, lines: Entries, source: int) -> int:
        """Lines of a part: one is taken if it is the first of its ID, or newer than the one taken before. Of
        two of one time the later is taken, but never in place of one of the earlier file.

        Returns how many lines of parts were set aside for others of parts."""
        # Of equal ones the later stays behind: the last of an ID is the one of it that has a chance.
        lines = lines[np.lexsort((lines["answered_ns"], lines["id"]))]
        ids = lines["id"]
        is_last = np.append(ids[1:] != ids[:-1], True)[: len(ids)]
        held, held_ns = self.source[ids], self.answered_ns[ids]
        is_newer = (lines["answered_ns"] > held_ns) | ((lines["answered_ns"] == held_ns) & (held != EARLIER))
        self.take(lines[is_newer & is_last], source)
        return int(np.count_nonzero((held > EARLIER) | (is_newer & ~is_last)))

    def leave_the_same(self, earlier: Entries) -> None:
        """A record that was fetched again and found the same keeps its earlier line, with the newer time. By
        length and CRC-32: of four billion records that did change, one is taken for the same."""
        ids = earlier["id"]
        same = earlier[
            (self.source[ids] >= FIRST_PART)
            & (self.length[ids] == earlier["length"])
            & (self.crc[ids] == earlier["crc"])
        ]
        self.source[same["id"]] = EARLIER
        self.offset[same["id"]] = same["offset"]

    def of(self, lines: Entries, source: int) -> Entries:
        """Those lines of a part that were chosen."""
        cells = self.cells(lines)
        chosen: Entries = lines[(self.source[cells] == source) & (self.offset[cells] == lines["offset"])]
        return chosen

    def place(self, lines: Entries, offset: int) -> None:
        """Lines of parts are in the file, one after another from `offset` on."""
        ids, lengths = lines["id"], lines["length"].astype(np.uint64)
        self.source[ids] = PLACED
        self.offset[ids] = np.cumsum(lengths) - lengths + np.uint64(offset)

    def give_up(self, tmdb_id: int, before: Entry | None) -> None:
        """The line of an ID cannot be had. What the earlier file has of it stays, if anything."""
        self.source[tmdb_id] = NOWHERE
        if before is not None:
            self.source[tmdb_id] = EARLIER
            self.answered_ns[tmdb_id], self.offset[tmdb_id] = before.answered_ns, before.offset
            self.length[tmdb_id], self.crc[tmdb_id] = before.length, before.crc

    def ids(self) -> Iterator[Column]:
        """IDs that have a line, in ascending order, some at a time."""
        for start in range(0, len(self.source), ENTRIES_A_READ):
            yield np.flatnonzero(self.source[start : start + ENTRIES_A_READ]) + start

    def entries(self) -> Iterator[Entries]:
        """The lines of the file by ID, once `offset` is where they lie in it."""
        for ids in self.ids():
            entries = np.zeros(len(ids), ENTRY)
            entries["id"] = ids
            for column in ("answered_ns", "offset", "length", "crc"):
                entries[column] = getattr(self, column)[ids]
            yield entries
