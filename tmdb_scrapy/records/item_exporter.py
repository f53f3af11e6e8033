"""What ``scrapy crawl KIND -o FILE.jsonl`` writes: TMDb's own JSON, a record a line, as in the parts."""

from __future__ import annotations

from typing import IO, Any

from itemadapter import ItemAdapter
from scrapy.exporters import BaseItemExporter

from tmdb_scrapy.records.record import line_of


class RecordLines(BaseItemExporter):
    """Scrapy's own would write the fields of an item, and fails at bytes."""

    def __init__(self, file: IO[bytes], **options: Any) -> None:
        super().__init__(**options)
        self.file = file

    def export_item(self, item: Any) -> None:
        self.file.write(line_of(ItemAdapter(item)["body"]))
