"""The entries of an index, many at a time: a million lines cost what a few thousand steps of Python cost.

numpy takes a tenth of a second and 15 MB to import. Whoever looks at one line, or writes one, does without.
"""

from __future__ import annotations

import os
import struct
from collections.abc import Callable, Iterable, Iterator
from itertools import islice, starmap
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from isal.isal_zlib import crc32

from tmdb_scrapy.records.index import ENTRIES_A_READ, ENTRY_BYTES, HEADER_BYTES, Entry, Header, blocks

ENTRY = np.dtype(
    [("id", "u4"), ("length", "u4"), ("answered_ns", "u8"), ("offset", "u8"), ("crc", "u4"), ("check", "u4")]
)
"""As it lies in the file (`tmdb_scrapy.records.index`); `check` is the CRC-32 of what is before it."""
_WITHOUT_CHECK = struct.Struct("28s4x")
BUFFER_BYTES = 1 << 20

Entries = npt.NDArray[np.void]
"""Of the type `ENTRY`."""
Column = npt.NDArray[Any]


def all_entries(index: Path) -> Iterator[Entries]:
    """Those of an index whose checksum was compared. Raises `OSError`."""
    for block in blocks(index):
        yield np.frombuffer(block, ENTRY)


def trusted(index: Path) -> Iterator[Entries]:
    """The entries of an index in their order, up to one that is torn or spoilt. Raises `OSError`."""
    for entries in all_entries(index):
        wrong = np.flatnonzero(entries["check"] != _checks(entries))
        if wrong.size:
            yield entries[: wrong[0]]
            return
        yield entries


def _checks(entries: Entries) -> Column:
    return np.fromiter(starmap(crc32, _WITHOUT_CHECK.iter_unpack(entries.data)), np.uint32, len(entries))


def by_offset(index: Path) -> Iterator[Entries]:
    """Those of an index whose checksum was compared, in the order in which their lines lie. Memory: 48 bytes
    an entry. Raises `OSError`."""
    entries = np.fromfile(index, ENTRY, offset=HEADER_BYTES)
    order = np.argsort(entries["offset"])
    for start in range(0, len(order), ENTRIES_A_READ):
        yield entries[order[start : start + ENTRIES_A_READ]]


def from_single(entries: Iterable[Entry]) -> Iterator[Entries]:
    """Entries that come one by one."""
    coming = iter(entries)
    while packed := b"".join(entry.packed() for entry in islice(coming, ENTRIES_A_READ)):
        yield np.frombuffer(packed, ENTRY)


def write_index(index: Path, header: Header, content: Iterable[Entries]) -> None:
    """Write an index beside its place, then put it there: it is whole or not there. Raises `OSError`."""
    unfinished = index.with_name(f"{index.name}.partial")
    try:
        write_unfinished_index(unfinished, content, lambda: header)
        unfinished.replace(index)
    finally:
        unfinished.unlink(missing_ok=True)


def write_unfinished_index(
    unfinished: Path, content: Iterable[Entries], header: Callable[[], Header]
) -> None:
    """`check` of the entries is filled in here, and `crc` of the header, which is asked for when all of them
    are written. All is on disk when this returns. Raises `OSError`."""
    with unfinished.open("wb", buffering=BUFFER_BYTES) as file:
        file.write(Header(0, 0).packed())
        checksum = 0
        for entries in content:
            complete = entries.copy()
            complete["check"] = _checks(entries)
            packed = complete.tobytes()
            checksum = crc32(packed, checksum)
            file.write(packed)
        file.seek(0)
        file.write(header()._replace(crc=checksum).packed())
        file.flush()
        os.fsync(file.fileno())


assert ENTRY.itemsize == ENTRY_BYTES
