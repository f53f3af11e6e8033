"""Kept records go to the part of this worker."""

from __future__ import annotations

from typing import Any, Self

from scrapy.crawler import Crawler

from tmdb_scrapy.records.record import Record, line_of
from tmdb_scrapy.worker import Worker, worker_of


class PartWriterPipeline:
    """Writes the body of each record as one line, and notes which it wrote: an ID is kept only if its line is
    there. The settlement flushes before it settles."""

    def __init__(self, worker: Worker) -> None:
        self._worker = worker

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> Self:
        """Raises `NotConfigured` for a spider that leases nothing, as that of `scrapy shell`."""
        return cls(worker_of(crawler))

    def process_item(self, item: Any) -> Any:
        """The item, once its line is in the part's buffer. Raises `OSError` when the disk refuses."""
        if isinstance(item, Record):
            self._worker.part.write(item.id, line_of(item.body))
            self._worker.written.add(item.id)
        return item

    def close_spider(self) -> None:
        """Put the last lines on disk. Raises `OSError`."""
        self._worker.part.close()
