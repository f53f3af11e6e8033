"""Lines are read, as many as lie together at a time, and compared with the checksums in their index."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO, NamedTuple

import numpy as np
from isal.isal_zlib import crc32

from tmdb_scrapy.records.columns import Column, Entries, by_offset
from tmdb_scrapy.records.index import index_of
from tmdb_scrapy.records.lines import read_lines
from tmdb_scrapy.records.merged import index_fits

READ_BYTES = 1 << 20
GAP_BYTES = 1 << 16
"""What lies between two lines is read along with them if it is no longer: one more read takes as long."""


class Checked(NamedTuple):
    """Lines that were read at once."""

    lines: Entries
    begins: Column
    """Where each line begins in `content`."""
    content: memoryview
    """What lies between the begin of the first line and the end of the last."""
    is_good: Column
    """Whether each line is as it was written."""

    def stretches(self) -> Iterator[memoryview]:
        """The good lines, as many as lie one after another at a time."""
        begins = self.begins[self.is_good]
        ends = begins + self.lines["length"][self.is_good]
        is_apart = begins[1:] != ends[:-1]
        first, last = np.append(True, is_apart)[: len(begins)], np.append(is_apart, True)[: len(begins)]
        for begin, end in zip(begins[first].tolist(), ends[last].tolist(), strict=True):
            yield self.content[begin:end]


def checked(file: BinaryIO, lines: Entries) -> Iterator[Checked]:
    """`lines` in the order in which they lie in `file`. Raises `OSError`."""
    for some in _together(lines):
        begins = some["offset"] - some["offset"][0]
        ends = begins + some["length"]
        content = memoryview(os.pread(file.fileno(), int(ends[-1]), int(some["offset"][0])))
        places = zip(begins.tolist(), ends.tolist(), strict=True)
        found = np.fromiter((crc32(content[begin:end]) for begin, end in places), np.uint32, len(some))
        yield Checked(some, begins, content, found == some["crc"])


def _together(lines: Entries) -> list[Entries]:
    if not len(lines):
        return []
    starts = lines["offset"]
    ends, reads = starts + lines["length"], starts // READ_BYTES
    is_apart = (starts[1:] > ends[:-1] + GAP_BYTES) | (reads[1:] != reads[:-1])
    return np.split(lines, np.flatnonzero(is_apart) + 1)


def ids_of_lines(merged: Path) -> Iterator[int | None]:
    """The ID of each line in the order of the file; None for a line that is no whole record, or not as it was
    merged. Raises `OSError`."""
    if not index_fits(merged):
        for _, entry in read_lines(merged, 0, merged.stat().st_size):
            yield entry.id if entry else None
        return
    with merged.open("rb", buffering=0) as file:
        for some in by_offset(index_of(merged)):
            for lines, _, _, is_good in checked(file, some):
                for tmdb_id, good in zip(lines["id"].tolist(), is_good.tolist(), strict=True):
                    yield tmdb_id if good else None


def spoilt_ids(merged: Path) -> list[int]:
    """IDs whose lines are not as they were merged, of a file with an index that fits. Raises `OSError`."""
    with merged.open("rb", buffering=0) as file:
        found = (checked(file, some) for some in by_offset(index_of(merged)))
        return [
            tmdb_id
            for each in found
            for lines, _, _, is_good in each
            for tmdb_id in lines["id"][~is_good].tolist()
        ]
