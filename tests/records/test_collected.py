"""tmdb_scrapy.records.collected: an ID kept on another machine after a collection is not lost."""

from __future__ import annotations

from pathlib import Path

import pytest

from tmdb_scrapy.kinds import KINDS
from tmdb_scrapy.queue import Ledger, Picture
from tmdb_scrapy.records import collected
from tmdb_scrapy.records.audit import Evidence, audit
from tmdb_scrapy.records.merge import Merged, merge
from tmdb_scrapy.records.part import merged_file, parts_directory

KIND = KINDS["movies"]


@pytest.fixture
def data_dir(tmp_path: Path) -> Path:
    """With the lines of IDs 1 and 2."""
    parts = parts_directory(tmp_path, KIND)
    parts.mkdir(parents=True)
    (parts / "a-1.jsonl").write_bytes(b'{"id": 1}\n{"id": 2}\n')
    return tmp_path


def merged(data_dir: Path, ledger: bytes) -> Merged:
    return merge(data_dir, KIND, ledger, lambda *_: None)


def remedies(data_dir: Path, ledger: bytes) -> list[str]:
    evidence = Evidence(
        kind=KIND,
        exported=[],
        picture=Picture(Ledger(KIND, ledger), {"kept": ledger.count(b"k")}, 0, {}),
        settings={},
        merged=merged_file(data_dir, KIND),
        expected=collected.expected(data_dir, KIND, ledger),
    )
    return [finding.remedy for finding in audit(evidence) if not finding.agrees]


def test_where_nothing_is_collected_every_kept_id_must_have_a_line(data_dir: Path) -> None:
    assert (merged(data_dir, b"\0kkkk").without_line, merged(data_dir, b"\0kkkk").elsewhere) == (2, 0)
    assert "retry movies --lost" in remedies(data_dir, b"\0kkkk")[0]


def test_what_was_kept_after_a_collection_began_is_not_lost(data_dir: Path) -> None:
    collected.remember(data_dir, KIND, b"\0kkk")
    result = merged(data_dir, b"\0kkkkk")
    assert (result.written, result.without_line, result.elsewhere) == (2, 1, 2)
    first, second = remedies(data_dir, b"\0kkkkk")
    assert first == "make collect"
    assert "--lost" in second, "ID 3 was kept before, and its line did not come"
    assert collected.expected(data_dir, KIND, b"\0kkkkk") == b"\0kkk\0\0"


def test_lines_that_came_though_kept_later_count(data_dir: Path) -> None:
    collected.remember(data_dir, KIND, b"\0k")
    assert (merged(data_dir, b"\0kk").written, merged(data_dir, b"\0kk").elsewhere) == (2, 0)
    assert remedies(data_dir, b"\0kk") == []


def test_what_is_fetched_again_is_not_missed_until_it_is_collected(data_dir: Path) -> None:
    collected.remember(data_dir, KIND, b"\0kkk")
    collected.forget(data_dir, KIND, [3, 9])
    assert collected.expected(data_dir, KIND, b"\0kkk") == b"\0kk\0"


def test_nothing_is_remembered_where_nothing_was_collected(data_dir: Path) -> None:
    collected.forget(data_dir, KIND, [3])
    assert not collected.is_known(data_dir, KIND)
