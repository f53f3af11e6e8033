"""A part goes when all that it has is in the merged file and nobody can add to it."""

from __future__ import annotations

from pathlib import Path

import pytest
from movie_records import KIND, Records

from tmdb_scrapy.records.part import Part
from tmdb_scrapy.records.prune import prune


def pruned(records: Records, ledger: str, *workers: str) -> list[str]:
    removed = prune(records.data_dir, KIND, b"\0" + ledger.encode(), workers)
    assert not any(path.exists() for path in removed)
    assert sorted(path.stem for path in records.parts.glob("*.index")) == sorted(
        path.stem for path in records.parts.glob("*.jsonl")
    )
    return [path.stem for path in removed]


def test_what_is_merged_goes_with_its_index(records: Records) -> None:
    records.part("a", (1, 100, "old"), (2, 100, "x"))
    records.part("b", (1, 200, "new"))
    records.merge("kk")
    assert pruned(records, "kk") == ["a", "b"]
    records.merge("kk")
    assert records.titles() == {1: "new", 2: "x"}


@pytest.mark.parametrize("state", ["q", "f", "\0", "k"])
def test_a_line_that_is_not_in_the_file_keeps_its_part(records: Records, state: str) -> None:
    records.part("a", (1, 100, "x"), (2, 100, "x"))
    records.part("b", (1, 100, "x"))
    records.merge("kq")
    assert pruned(records, f"k{state}") == ["b"]


def test_a_newer_line_keeps_its_part(records: Records) -> None:
    records.part("a", (1, 100, "x"))
    records.merge("k")
    records.part("b", (1, 200, "newer"))
    assert pruned(records, "k") == ["a"]


@pytest.mark.parametrize("state", ["d", "m"])
def test_a_line_that_the_ledger_speaks_against_keeps_nothing(records: Records, state: str) -> None:
    records.part("a", (1, 100, "x"), (2, 100, "x"))
    records.merge(f"k{state}")
    assert pruned(records, f"k{state}") == ["a"]


def test_a_worker_with_a_heartbeat_keeps_its_part(records: Records) -> None:
    records.part("a", (1, 100, "x"))
    records.part("b", (1, 100, "x"))
    records.merge("k")
    assert pruned(records, "k", "a") == ["b"]


def test_a_worker_that_lives_without_a_heartbeat_keeps_its_part(records: Records) -> None:
    """It was stopped for a while, or Redis was: it may go on, and settle what it writes."""
    part = Part(records.parts / "a.jsonl")
    part.write(1, records.line(1))
    part.flush()
    part.sync()
    records.merge("k")
    assert pruned(records, "k") == []
    part.close()
    assert pruned(records, "k") == ["a"]


def test_an_empty_part_stays_as_its_worker_may_just_have_begun(records: Records) -> None:
    records.part("a", (1, 100, "x"))
    (records.parts / "b.jsonl").touch()
    records.merge("k")
    assert pruned(records, "k") == ["a"]


def test_a_spoilt_line_keeps_its_part(records: Records, flip: object) -> None:
    assert callable(flip)
    path: Path = records.part("a", (1, 100, "one"), (2, 100, "two"))
    flip(path, b"two")
    records.merge("kk")
    assert pruned(records, "kk") == []


def test_without_a_merged_file_nothing_goes(records: Records) -> None:
    records.part("a", (1, 100, "x"))
    assert pruned(records, "k") == []


def test_an_index_without_its_part_goes_unless_its_worker_may_just_have_begun(records: Records) -> None:
    records.part("a", (1, 100, "x"))
    records.merge("k")
    for name in ("killed", "begins"):
        (records.parts / f"{name}.index").touch()
    prune(records.data_dir, KIND, b"\0k", ["begins"])
    assert [path.name for path in records.parts.iterdir()] == ["begins.index"]
