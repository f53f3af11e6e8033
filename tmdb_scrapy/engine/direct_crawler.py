"""A Scrapy crawler that is made of the parts in this package."""

from __future__ import annotations

from typing import Any

from scrapy.core.engine import ExecutionEngine

from tmdb_scrapy.engine.crawler import TmdbCrawler
from tmdb_scrapy.engine.engine import DirectEngine
from tmdb_scrapy.engine.signals import DirectSignals


class DirectCrawler(TmdbCrawler):
    """Goes the shorter way. Everything also works, slower, with Scrapy's own engine."""

    def __init__(self, *arguments: Any, **named: Any) -> None:
        super().__init__(*arguments, **named)
        self.signals = DirectSignals(self)

    def _create_engine(self) -> ExecutionEngine:
        return DirectEngine(self, lambda _: self.stop_async())
