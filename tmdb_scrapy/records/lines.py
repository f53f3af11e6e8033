"""The lines of a part or a merged file: by its index where that can be trusted, else by reading."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

from isal.isal_zlib import crc32

from tmdb_scrapy.records.index import (
    ENTRIES_A_READ,
    HIGHEST_ID,
    Entry,
    Header,
    entries,
    index_of,
    part_header,
    read_header,
)
from tmdb_scrapy.records.record import id_in

BUFFER_BYTES = 1 << 20


class PartLines:
    """The lines that a part had when this was made."""

    def __init__(self, path: Path) -> None:
        """A part without an index of its own gets one by being read; all its lines count as answered when it
        was last written. Raises `OSError`."""
        self.path = path
        self.torn = 0
        """Lines, or several on end, that are no whole record; known after each iteration."""
        self.size = path.stat().st_size
        self._index = index_of(path)
        header = read_header(self._index)
        if header is None or header.which != part_header(path, 0).which:
            header = part_header(path, path.stat().st_mtime_ns)
            found = read_lines(path, 0, self.size, header.since)
            write_index(self._index, header, (entry for _, entry in found if entry is not None))
        self._since_ns = header.since

    def __iter__(self) -> Iterator[Entry]:
        """Those of the index, then those that a worker wrote and did not live to index, or was about to.

        When these were answered is not known. They count as answered when the last one before them was: that
        is never too late, so that they cannot displace a newer line.
        """
        end, last_ns, self.torn = 0, self._since_ns, 0
        for entry in entries(self._index):
            if entry.offset < end or entry.offset + entry.length > self.size:
                break
            self.torn += entry.offset > end
            yield entry
            end, last_ns = entry.offset + entry.length, entry.answered_ns
        for _, unindexed in read_lines(self.path, end, self.size, last_ns):
            if unindexed is None:
                self.torn += 1
            else:
                yield unindexed


def read_lines(
    path: Path, start: int, end: int, answered_ns: int = 0
) -> Iterator[tuple[tuple[int, int], Entry | None]]:
    """Offset and length of each line between two offsets of a file, and its entry; None for a line that is no
    whole record. Raises `OSError`."""
    with path.open("rb", buffering=BUFFER_BYTES) as file:
        file.seek(start)
        offset = start
        while offset < end and (line := file.readline()):
            tmdb_id = id_in(line) if offset + len(line) <= end else None
            entry = None
            if tmdb_id is not None and 0 <= tmdb_id <= HIGHEST_ID:
                entry = Entry(tmdb_id, len(line), answered_ns, offset, crc32(line))
            yield (offset, len(line)), entry
            offset += len(line)


def write_index(index: Path, header: Header, content: Iterable[Entry]) -> None:
    """Write an index beside its place, then put it there: it is whole or not there. Raises `OSError`."""
    unfinished = index.with_name(f"{index.name}.partial")
    try:
        write_unfinished_index(unfinished, content, lambda: header)
        unfinished.replace(index)
    finally:
        unfinished.unlink(missing_ok=True)


def write_unfinished_index(unfinished: Path, content: Iterable[Entry], header: Callable[[], Header]) -> None:
    """`header` is asked for when all entries are written; its `crc` is filled in here. All is on disk when
    this returns. Raises `OSError`."""
    with unfinished.open("wb", buffering=BUFFER_BYTES) as file:
        file.write(Header(0, 0).packed())
        checksum = 0
        block: list[bytes] = []
        for entry in content:
            block.append(entry.packed())
            if len(block) == ENTRIES_A_READ:
                checksum = crc32(packed := b"".join(block), checksum)
                file.write(packed)
                block.clear()
        checksum = crc32(packed := b"".join(block), checksum)
        file.write(packed)
        file.seek(0)
        file.write(header()._replace(crc=checksum).packed())
        file.flush()
        os.fsync(file.fileno())
