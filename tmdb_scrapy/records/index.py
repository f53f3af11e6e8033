"""The index of a JSON-lines file: the ID of each line, when it was answered, where it lies, its CRC-32.

A header and one entry a line, 32 bytes each, in the byte order of the machine (one of a machine of the other
order cannot be read, and so is made anew). Each entry has a CRC-32 of its own: a torn or spoilt one is never
taken for a line. The header names the file that the index is of.
"""

from __future__ import annotations

import hashlib
import mmap
import struct
from bisect import bisect_left
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple, Self

from isal.isal_zlib import crc32

MAGIC = int.from_bytes(b"tmdbidx1", "big")
_HEADER = struct.Struct("=QQQI")
_ENTRY = struct.Struct("=IIQQI")
_CHECK = struct.Struct("=I")
ENTRY_BYTES = HEADER_BYTES = _ENTRY.size + _CHECK.size
HIGHEST_ID = (1 << 29) - 1
"""The ledger has a byte an ID, and a string of Redis ends at 512 MB: https://redis.io/docs/latest/develop/data-types/strings/"""
ENTRIES_A_READ = 1 << 12


class Entry(NamedTuple):
    """One line of a JSON-lines file."""

    id: int
    length: int
    """Bytes, newline included."""
    answered_ns: int
    """When TMDb's answer came, in nanoseconds since the epoch."""
    offset: int
    crc: int
    """CRC-32 of the line."""

    def packed(self) -> bytes:
        packed = _ENTRY.pack(*self)
        return packed + _CHECK.pack(crc32(packed))


class Header(NamedTuple):
    """Which file an index is of: of a part its name and beginning, of a merged file its size and mtime."""

    which: int
    since: int
    crc: int = 0
    """CRC-32 of all entries, of an index that is written at once."""

    def packed(self) -> bytes:
        packed = _HEADER.pack(MAGIC, *self)
        return packed + _CHECK.pack(crc32(packed))


def index_of(path: Path) -> Path:
    """Where the index of a JSON-lines file lies: beside it."""
    return path.with_suffix(".index")


def part_header(part: Path, since_ns: int) -> Header:
    """`since_ns`: no line of this part was answered before. A part's name is its worker's, and no other's."""
    digest = hashlib.blake2b(part.name.encode(), digest_size=8).digest()
    return Header(int.from_bytes(digest, "big"), since_ns)


def read_header(index: Path) -> Header | None:
    """The header of an index; None when there is none that can be read. Raises `OSError`."""
    try:
        with index.open("rb") as file:
            header = file.read(HEADER_BYTES)
    except FileNotFoundError:
        return None
    if len(header) < HEADER_BYTES:
        return None
    magic, which, since, crc = _HEADER.unpack_from(header)
    if magic != MAGIC or _CHECK.unpack_from(header, _HEADER.size) != (crc32(header[: _HEADER.size]),):
        return None
    return Header(which, since, crc)


def blocks(index: Path) -> Iterator[bytes]:
    """All whole entries as they lie there, many at a time. Raises `OSError`."""
    with index.open("rb") as file:
        file.seek(HEADER_BYTES)
        while block := file.read(ENTRIES_A_READ * ENTRY_BYTES):
            if whole := len(block) // ENTRY_BYTES * ENTRY_BYTES:
                yield block[:whole]


class SortedIndex:
    """An index that is sorted by ID, as that of a merged file. Nothing is read but what is asked for."""

    def __init__(self, path: Path) -> None:
        """Raises `OSError`, also when there is no whole index."""
        self.path = path
        header = read_header(path)
        if header is None:
            raise FileNotFoundError(f"{path} is no index that can be read")
        self.header = header
        with path.open("rb") as file:
            self._map = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
        self._words = memoryview(self._map)
        whole = len(self._map) - len(self._map) % ENTRY_BYTES
        self._ids = self._words[:whole].cast("I")[HEADER_BYTES // 4 :: ENTRY_BYTES // 4]

    def __len__(self) -> int:
        return len(self._ids)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        self._ids.release()
        self._words.release()
        self._map.close()

    def entry(self, number: int) -> Entry:
        """The entry of that number, counted from 0."""
        return Entry._make(_ENTRY.unpack_from(self._map, HEADER_BYTES + number * ENTRY_BYTES))

    def find(self, tmdb_id: int) -> Entry | None:
        """The entry of an ID; None when it has none."""
        number = bisect_left(self._ids, tmdb_id)
        if number == len(self._ids) or self._ids[number] != tmdb_id:
            return None
        return self.entry(number)


def checksum_and_bytes(index: Path) -> tuple[int, int]:
    """CRC-32 of all entries, and how long all lines are together. Raises `OSError`."""
    checksum = length = 0
    for block in blocks(index):
        checksum = crc32(block, checksum)
        length += sum(memoryview(block).cast("I")[1::8])
    return checksum, length
