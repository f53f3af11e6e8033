"""A merged file as it lies there: whether the index beside it is its own, and one line of it."""

from __future__ import annotations

import errno
import os
from pathlib import Path

from isal.isal_zlib import crc32

from tmdb_scrapy.records.index import Entry, Header, SortedIndex, checksum_and_bytes, index_of, read_header
from tmdb_scrapy.records.lines import read_lines


def merged_header(status: os.stat_result) -> Header:
    """What names a merged file: an index of an earlier or another one has another size or time."""
    return Header(status.st_size, status.st_mtime_ns)


def index_fits(merged: Path) -> bool:
    """Whether the index beside a merged file is whole and its own. Raises `OSError`."""
    header = read_header(index_of(merged))
    named = merged_header(merged.stat())
    if header is None or header[:2] != named[:2]:
        return False
    return checksum_and_bytes(index_of(merged)) == (header.crc, named.which)


def find_line(merged: Path, tmdb_id: int) -> bytes | None:
    """The line of an ID in a merged file; None when it has none. By the index where it fits; else the file is
    read. Raises `OSError`, also for a line that is not as it was merged."""
    entry = _find_entry(merged, tmdb_id)
    if entry is None:
        return None
    with merged.open("rb") as file:
        file.seek(entry.offset)
        line = file.read(entry.length)
    if crc32(line) != entry.crc:
        raise OSError(errno.EIO, f"{merged}: the line of ID {tmdb_id} is not as it was merged")
    return line


def _find_entry(merged: Path, tmdb_id: int) -> Entry | None:
    if index_fits(merged):
        with SortedIndex(index_of(merged)) as index:
            return index.find(tmdb_id)
    lines = read_lines(merged, 0, merged.stat().st_size)
    return next((entry for _, entry in lines if entry is not None and entry.id == tmdb_id), None)
