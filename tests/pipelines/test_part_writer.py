"""Kept records become lines of the worker's part, byte for byte."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from scrapy.crawler import Crawler

from tmdb_scrapy.kinds import KINDS
from tmdb_scrapy.pipelines.part_writer import PartWriterPipeline
from tmdb_scrapy.records.part import Part, parts_directory
from tmdb_scrapy.records.record import Record
from tmdb_scrapy.worker import worker_of

Make = Callable[[], PartWriterPipeline]


def record(tmdb_id: int, body: bytes, kind: str = "movies") -> Record:
    return Record(KINDS[kind], tmdb_id, body, KINDS[kind].deciding())


@pytest.fixture
def make(tmp_path: Path, make_crawler: Callable[..., Crawler]) -> Make:
    def made() -> PartWriterPipeline:
        worker = worker_of(make_crawler(DATA_DIR=str(tmp_path)))
        worker.name = "here-1-abcdef"
        worker.part = Part(parts_directory(tmp_path, worker.kind) / f"{worker.name}.jsonl")
        return PartWriterPipeline(worker)

    return made


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "movies" / "parts" / "here-1-abcdef.jsonl"


def test_each_record_is_one_line_of_its_own_bytes(make: Make, file: Path) -> None:
    pipeline = make()
    pipeline.process_item(record(1, b'{"id": 1,\n "title": "\\u00e9"}'))
    pipeline.process_item(record(2, b'{"id":2}', "people"))
    pipeline.close_spider()
    assert file.read_bytes() == b'{"id": 1, "title": "\\u00e9"}\n{"id":2}\n'


def test_the_item_is_passed_on(make: Make) -> None:
    pipeline = make()
    item = record(1, b"{}")
    assert pipeline.process_item(item) is item
    pipeline.close_spider()


def test_a_line_is_with_the_operating_system_after_a_flush(make: Make, file: Path) -> None:
    pipeline = make()
    pipeline.process_item(record(1, b'{"id":1}'))
    pipeline._worker.part.flush()
    pipeline._worker.part.sync()
    assert file.read_bytes() == b'{"id":1}\n'
    pipeline.close_spider()


def test_a_worker_that_keeps_nothing_leaves_nothing(make: Make, file: Path) -> None:
    make().close_spider()
    assert not file.exists()


def test_other_items_are_not_written(make: Make, file: Path) -> None:
    pipeline = make()
    assert pipeline.process_item({"id": 3}) == {"id": 3}
    pipeline.close_spider()
    assert not file.exists()
