"""What a feed holds."""

from __future__ import annotations

import io

import pytest

from tmdb_scrapy.kinds import KINDS, Deciding
from tmdb_scrapy.records.item_exporter import RecordLines
from tmdb_scrapy.records.record import Record


@pytest.mark.parametrize(
    "item", [Record(KINDS["people"], 7, b'{"id":\n7}', Deciding()), {"id": 7, "body": b'{"id":\n7}'}]
)
def test_a_record_is_one_line_as_tmdb_wrote_it_whatever_class_a_pipeline_made_of_it(item: object) -> None:
    file = io.BytesIO()
    RecordLines(file, encoding="utf-8", indent=4).export_item(item)
    assert file.getvalue() == b'{"id":7}\n'
