"""tmdb_scrapy.records.index: the entry of an ID, and whose index it is."""

from __future__ import annotations

from pathlib import Path

import pytest

from tmdb_scrapy.records.columns import from_single, write_index
from tmdb_scrapy.records.index import (
    HEADER_BYTES,
    Entry,
    Header,
    SortedIndex,
    index_of,
    part_header,
    read_header,
)

HEADER = Header(7, 8)
SOME = [Entry(3, 10, 1_000, 20, 5), Entry(603, 20, 2_000, 0, 6), Entry(70_000, 7, 3_000, 1 << 40, 0xFFFFFFFF)]


@pytest.fixture
def index(tmp_path: Path) -> Path:
    path = tmp_path / "movies.index"
    write_index(path, HEADER, from_single(SOME))
    return path


def test_find(index: Path) -> None:
    with SortedIndex(index) as found:
        assert [found.find(tmdb_id) for tmdb_id in (3, 603, 70_000)] == SOME
        assert [found.find(tmdb_id) for tmdb_id in (0, 4, 604, 1 << 28)] == [None] * 4


def test_an_index_of_nothing(tmp_path: Path) -> None:
    index = tmp_path / "empty.index"
    write_index(index, HEADER, [])
    with SortedIndex(index) as found:
        assert (len(found), found.find(1)) == (0, None)


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
