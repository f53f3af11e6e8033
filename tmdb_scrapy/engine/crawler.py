"""A Scrapy crawler that is made of the parts in this package."""

from __future__ import annotations

from typing import Any

from scrapy.core.engine import ExecutionEngine
from scrapy.crawler import Crawler

from tmdb_scrapy.engine.engine import DirectEngine
from tmdb_scrapy.engine.signals import DirectSignals


class TmdbCrawler(Crawler):
    """As Scrapy's, for `CrawlerProcess.crawl`. Everything also works, slower, with Scrapy's own."""

    def __init__(self, *arguments: Any, **named: Any) -> None:
        super().__init__(*arguments, **named)
        self.signals = DirectSignals(self)

    def _create_engine(self) -> ExecutionEngine:
        return DirectEngine(self, lambda _: self.stop_async())

    async def stop_async(self) -> None:
        """As Scrapy's, which leaves a spider unclosed that is stopped while it is being opened."""
        engine = self._engine
        if self.crawling and isinstance(engine, DirectEngine) and engine.spider and not engine.running:
            self.crawling = False
            await engine.stop_opening()
        else:
            await super().stop_async()
