"""Kept records go to the part of this worker."""

from __future__ import annotations

from typing import Any, Self

from scrapy.crawler import Crawler
from scrapy.exceptions import NotConfigured

from tmdb_scrapy.records.part import Part, parts_directory
from tmdb_scrapy.records.record import Record, line_of


class PartWriterPipeline:
    """Writes the body of each record as one line, and knows which it wrote: an ID is kept only if its line
    is there. The settlement flushes before it settles."""

    def __init__(self, crawler: Crawler) -> None:
        self._crawler = crawler
        self.part: Part | None = None
        self._written: set[int] = set()

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> Self:
        """Raises `NotConfigured` for a spider that leases nothing, as that of `scrapy shell`."""
        if crawler.settings["TMDB_CONFIG"] is None:
            raise NotConfigured
        return cls(crawler)

    def open_spider(self) -> None:
        spider: Any = self._crawler.spider
        config = self._crawler.settings["TMDB_CONFIG"]
        self.part = Part(parts_directory(config.data_dir, spider.kind) / f"{spider.worker}.jsonl")

    def process_item(self, item: Any) -> Any:
        """The item, once its line is in the part's buffer. Raises `OSError` when the disk refuses."""
        if self.part is not None and isinstance(item, Record):
            self.part.write(line_of(item.body))
            self._written.add(item.id)
        return item

    def take_written(self, tmdb_id: int) -> bool:
        """Whether a line of this ID was written since this was last asked."""
        if tmdb_id in self._written:
            self._written.remove(tmdb_id)
            return True
        return False

    def close_spider(self) -> None:
        if self.part is not None:
            self.part.close()
