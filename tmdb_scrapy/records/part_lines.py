"""The lines of a part: by its index as far as that can be trusted, else by reading."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np

from tmdb_scrapy.records.columns import Entries, from_single, trusted, write_index
from tmdb_scrapy.records.index import Entry, index_of, part_header, read_header
from tmdb_scrapy.records.lines import read_lines


class PartLines:
    """The lines that a part had when this was made."""

    def __init__(self, path: Path) -> None:
        """A part without an index of its own gets one by being read; all its lines count as answered when it
        was last written. Raises `OSError`."""
        self.path = path
        self.torn = 0
        """Lines, or several on end, that are no whole record; known when `blocks` has come to its end."""
        self.size = path.stat().st_size
        self._index = index_of(path)
        header = read_header(self._index)
        if header is None or header.which != part_header(path, 0).which:
            header = part_header(path, path.stat().st_mtime_ns)
            found = read_lines(path, 0, self.size, header.since)
            single = (entry for _, entry in found if entry is not None)
            write_index(self._index, header, from_single(single))
        self._since_ns = header.since

    def blocks(self) -> Iterator[Entries]:
        """Those of the index, then those that a worker wrote and did not live to index, or was about to.

        When these were answered is not known. They count as answered when the last one before them was: that
        is never too late, so that they cannot displace a newer line.
        """
        end, last_ns, self.torn = 0, self._since_ns, 0
        for lines in trusted(self._index):
            starts, ends = lines["offset"], lines["offset"] + lines["length"]
            ends_before = np.append(np.uint64(end), ends[:-1])
            misplaced = np.flatnonzero((starts < ends_before) | (ends > self.size))
            count = misplaced[0] if misplaced.size else len(lines)
            if count:
                self.torn += int(np.count_nonzero(starts[:count] > ends_before[:count]))
                yield lines[:count]
                end, last_ns = int(ends[count - 1]), int(lines["answered_ns"][count - 1])
            if misplaced.size:
                break
        yield from from_single(self._read(end, last_ns))

    def _read(self, start: int, answered_ns: int) -> Iterator[Entry]:
        for _, entry in read_lines(self.path, start, self.size, answered_ns):
            if entry is None:
                self.torn += 1
            else:
                yield entry
