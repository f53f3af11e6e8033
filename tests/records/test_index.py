"""tmdb_scrapy.records.index: what is torn, spoilt or another file's is never taken for a line."""

from __future__ import annotations

import struct
import zlib
from pathlib import Path

import pytest

from tmdb_scrapy.records.index import (
    ENTRY_BYTES,
    HEADER_BYTES,
    Entry,
    Header,
    SortedIndex,
    checksum_and_bytes,
    entries,
    index_of,
    part_header,
    read_header,
)
from tmdb_scrapy.records.lines import write_index

HEADER = Header(7, 8)
SOME = [Entry(3, 10, 1_000, 20, 5), Entry(603, 20, 2_000, 0, 6), Entry(70_000, 7, 3_000, 1 << 40, 0xFFFFFFFF)]


@pytest.fixture
def index(tmp_path: Path) -> Path:
    path = tmp_path / "movies.index"
    write_index(path, HEADER, SOME)
    return path


def test_it_has_what_was_written(index: Path) -> None:
    assert list(entries(index)) == SOME
    assert read_header(index) == HEADER._replace(crc=checksum_and_bytes(index)[0])
    assert checksum_and_bytes(index)[1] == 37
    assert index.stat().st_size == HEADER_BYTES + len(SOME) * ENTRY_BYTES
    assert [path.name for path in index.parent.iterdir()] == ["movies.index"]


def test_an_entry_has_the_bytes_that_earlier_releases_wrote(index: Path) -> None:
    packed = struct.pack("=IIQQI", 3, 10, 1_000, 20, 5)
    first = index.read_bytes()[HEADER_BYTES:][:ENTRY_BYTES]
    assert first == packed + struct.pack("=I", zlib.crc32(packed))


def test_find(index: Path) -> None:
    with SortedIndex(index) as found:
        assert [found.find(tmdb_id) for tmdb_id in (3, 603, 70_000)] == SOME
        assert [found.find(tmdb_id) for tmdb_id in (0, 4, 604, 1 << 28)] == [None] * 4
        assert [entry.offset for entry in found.by_offset()] == [0, 20, 1 << 40]


def test_an_index_of_nothing(tmp_path: Path) -> None:
    write_index(tmp_path / "empty.index", HEADER, [])
    with SortedIndex(tmp_path / "empty.index") as found:
        assert (len(found), found.find(1), list(found.by_offset())) == (0, None, [])


@pytest.mark.parametrize("cut", [1, 16, ENTRY_BYTES - 1])
def test_a_torn_tail_is_ignored(index: Path, cut: int) -> None:
    index.write_bytes(index.read_bytes()[:-cut])
    assert list(entries(index)) == SOME[:-1]


@pytest.mark.parametrize("at", range(ENTRY_BYTES))
def test_any_flipped_bit_ends_what_is_trusted(index: Path, at: int) -> None:
    content = bytearray(index.read_bytes())
    content[HEADER_BYTES + ENTRY_BYTES + at] ^= 0x10
    index.write_bytes(content)
    assert list(entries(index)) == SOME[:1]
    assert checksum_and_bytes(index)[0] != (read_header(index) or HEADER).crc


def test_zeros_where_a_power_cut_left_them_are_no_entry(index: Path) -> None:
    index.write_bytes(index.read_bytes() + bytes(4 * ENTRY_BYTES))
    assert list(entries(index)) == SOME


@pytest.mark.parametrize("content", [b"", b"x", bytes(HEADER_BYTES), b"garbage" * 20])
def test_what_is_no_index_has_no_header(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "x.index").write_bytes(content)
    assert read_header(tmp_path / "x.index") is None
    assert read_header(tmp_path / "absent.index") is None


@pytest.mark.parametrize("at", range(HEADER_BYTES))
def test_a_spoilt_header_is_none(index: Path, at: int) -> None:
    content = bytearray(index.read_bytes())
    content[at] ^= 1
    index.write_bytes(content)
    assert read_header(index) is None


def test_a_header_names_its_part(tmp_path: Path) -> None:
    assert part_header(tmp_path / "a.jsonl", 1).which != part_header(tmp_path / "b.jsonl", 1).which
    assert part_header(tmp_path / "a.jsonl", 1) == part_header(tmp_path / "there" / "a.jsonl", 1)


def test_the_index_of_a_worker_with_dots_in_its_name() -> None:
    assert index_of(Path("parts/ip-10.0.0.1-7.jsonl")) == Path("parts/ip-10.0.0.1-7.index")
