"""tmdb_scrapy.records.columns: what is torn or spoilt is never taken for a line."""

from __future__ import annotations

import struct
import zlib
from pathlib import Path

import pytest

from tmdb_scrapy.records.columns import by_offset, from_single, trusted, write_index
from tmdb_scrapy.records.index import (
    ENTRIES_A_READ,
    ENTRY_BYTES,
    HEADER_BYTES,
    Entry,
    Header,
    checksum_and_bytes,
    read_header,
)

HEADER = Header(7, 8)
SOME = [Entry(3, 10, 1_000, 20, 5), Entry(603, 20, 2_000, 0, 6), Entry(70_000, 7, 3_000, 1 << 40, 0xFFFFFFFF)]


@pytest.fixture
def index(tmp_path: Path) -> Path:
    path = tmp_path / "movies.index"
    write_index(path, HEADER, from_single(SOME))
    return path


def entries(index: Path) -> list[Entry]:
    """What can be trusted of an index."""
    return [Entry(*entry[:-1]) for some in trusted(index) for entry in some.tolist()]


def test_it_has_what_was_written(index: Path) -> None:
    assert entries(index) == SOME
    assert read_header(index) == HEADER._replace(crc=checksum_and_bytes(index)[0])
    assert checksum_and_bytes(index)[1] == 37
    assert index.stat().st_size == HEADER_BYTES + len(SOME) * ENTRY_BYTES
    assert [path.name for path in index.parent.iterdir()] == ["movies.index"]


def test_an_entry_has_the_bytes_that_earlier_releases_wrote(index: Path) -> None:
    packed = struct.pack("=IIQQI", 3, 10, 1_000, 20, 5)
    first = index.read_bytes()[HEADER_BYTES:][:ENTRY_BYTES]
    assert first == packed + struct.pack("=I", zlib.crc32(packed))


def test_more_of_them_than_are_read_at_once(tmp_path: Path) -> None:
    many = [Entry(n, 1, n, 7 * ENTRIES_A_READ - n, n) for n in range(2 * ENTRIES_A_READ + 5)]
    path = tmp_path / "many.index"
    write_index(path, HEADER, from_single(many))
    assert entries(path) == many
    assert [n for some in by_offset(path) for n in some["id"].tolist()] == [e.id for e in reversed(many)]


def test_each_entry_is_given_its_check(index: Path) -> None:
    unchecked = [some.copy() for some in from_single(SOME)]
    for some in unchecked:
        some["check"] = 0
    write_index(index, HEADER, unchecked)
    assert entries(index) == SOME


def test_the_order_in_which_lines_lie(index: Path) -> None:
    assert [some["offset"].tolist() for some in by_offset(index)] == [[0, 20, 1 << 40]]


def test_no_entries_at_all(tmp_path: Path) -> None:
    write_index(tmp_path / "empty.index", HEADER, [])
    assert (entries(tmp_path / "empty.index"), list(by_offset(tmp_path / "empty.index"))) == ([], [])


@pytest.mark.parametrize("cut", [1, 16, ENTRY_BYTES - 1])
def test_a_torn_tail_is_ignored(index: Path, cut: int) -> None:
    index.write_bytes(index.read_bytes()[:-cut])
    assert entries(index) == SOME[:-1]


@pytest.mark.parametrize("at", range(ENTRY_BYTES))
def test_any_flipped_bit_ends_what_is_trusted(index: Path, at: int) -> None:
    content = bytearray(index.read_bytes())
    content[HEADER_BYTES + ENTRY_BYTES + at] ^= 0x10
    index.write_bytes(content)
    assert entries(index) == SOME[:1]
    assert checksum_and_bytes(index)[0] != (read_header(index) or HEADER).crc


def test_zeros_where_a_power_cut_left_them_are_no_entry(index: Path) -> None:
    index.write_bytes(index.read_bytes() + bytes(4 * ENTRY_BYTES))
    assert entries(index) == SOME
