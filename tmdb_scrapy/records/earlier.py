"""The merged file that is there before a merge, with an index that fits it."""

from __future__ import annotations

import contextlib
import errno
import os
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

from isal.isal_zlib import crc32

from tmdb_scrapy.records.chosen import EARLIER, Chosen
from tmdb_scrapy.records.index import Entry, Header, SortedIndex, checksum_and_bytes, index_of, read_header
from tmdb_scrapy.records.lines import read_lines, write_index

BUFFER_BYTES = 1 << 20


def merged_header(status: os.stat_result) -> Header:
    """What names a merged file: an index of an earlier or another one has another size or time."""
    return Header(status.st_size, status.st_mtime_ns)


class Earlier:
    """A merged file whose lines can be had by ID."""

    def __init__(
        self, path: Path, index: SortedIndex, damage: list[tuple[int, int]], spoilt: list[int]
    ) -> None:
        self.path = path
        self.index = index
        self.damage = damage
        """Offset and length of each line that is no whole record, or a second one of its ID."""
        self.spoilt = spoilt
        """IDs whose lines are not as they were merged; only looked for when asked to."""

    def __len__(self) -> int:
        return len(self.index)

    @property
    def size(self) -> int:
        return self.index.header.which


def index_fits(merged: Path) -> bool:
    """Whether the index beside a merged file is whole and its own. Raises `OSError`."""
    header = read_header(index_of(merged))
    named = merged_header(merged.stat())
    if header is None or header[:2] != named[:2]:
        return False
    return checksum_and_bytes(index_of(merged)) == (header.crc, named.which)


@contextlib.contextmanager
def open_earlier(merged: Path, *, check: bool = False) -> Iterator[Earlier | None]:
    """The merged file, None when there is none. One without an index that fits gets one by being read.

    Raises `OSError`.
    """
    if not merged.exists():
        yield None
        return
    damage = [] if index_fits(merged) else _make_index(merged)
    with SortedIndex(index_of(merged)) as index:
        yield Earlier(merged, index, damage, _spoilt(merged, index) if check else [])


def _spoilt(merged: Path, index: SortedIndex) -> list[int]:
    with merged.open("rb", buffering=BUFFER_BYTES) as file:
        return [entry.id for entry in index.by_offset() if not _is_as_merged(file, entry)]


def _is_as_merged(file: BinaryIO, entry: Entry) -> bool:
    file.seek(entry.offset)
    return crc32(file.read(entry.length)) == entry.crc


def _make_index(merged: Path) -> list[tuple[int, int]]:
    """Of lines that an index of another state of the file has too, it tells when they were answered. Of the
    others that is not known: any line of a part is taken to be newer."""
    status = merged.stat()
    damage: list[tuple[int, int]] = []
    found = Chosen()
    with _older_index(index_of(merged)) as older:
        for place, entry in read_lines(merged, 0, status.st_size):
            if entry is None or found.row(entry.id) >= 0:
                damage.append(place)
                continue
            known = older.find(entry.id) if older else None
            same = known is not None and (known.length, known.crc) == (entry.length, entry.crc)
            found.add(entry._replace(answered_ns=known.answered_ns) if known and same else entry, EARLIER)
    write_index(index_of(merged), merged_header(status), found.entries())
    return damage


@contextlib.contextmanager
def _older_index(path: Path) -> Iterator[SortedIndex | None]:
    header = read_header(path)
    if header is None or checksum_and_bytes(path)[0] != header.crc:
        yield None
        return
    with SortedIndex(path) as index:
        yield index


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


def ids_of_lines(merged: Path) -> Iterator[int | None]:
    """The ID of each line in the order of the file; None for a line that is no whole record, or not as it was
    merged. Raises `OSError`."""
    if not index_fits(merged):
        for _, entry in read_lines(merged, 0, merged.stat().st_size):
            yield entry.id if entry else None
        return
    with SortedIndex(index_of(merged)) as index, merged.open("rb", buffering=BUFFER_BYTES) as file:
        for entry in index.by_offset():
            yield entry.id if _is_as_merged(file, entry) else None
