"""A Scrapy crawler that can be stopped at any moment."""

from __future__ import annotations

import asyncio
from typing import Any

from scrapy import signals
from scrapy.crawler import Crawler


class TmdbCrawler(Crawler):
    """As Scrapy's, which leaves a spider unclosed that is stopped while it is being opened.

    Such a one is closed as soon as it is open, before its first request.
    """

    def __init__(self, *arguments: Any, **named: Any) -> None:
        super().__init__(*arguments, **named)
        self._is_open = False
        self._closed: asyncio.Event | None = None
        """Set once a spider that was stopped too early is closed."""

    async def crawl_async(self, *arguments: Any, **named: Any) -> None:
        self._listen()
        await super().crawl_async(*arguments, **named)

    def crawl(self, *arguments: Any, **named: Any) -> Any:
        self._listen()
        return super().crawl(*arguments, **named)

    def _listen(self) -> None:
        self.signals.connect(self._engine_started, signals.engine_started)

    async def _engine_started(self) -> None:
        self._is_open = True
        if self._closed is not None:
            await self.engine.stop_async()

    async def stop_async(self) -> None:
        """Also called by the engine, as the last step of closing the spider."""
        is_closed = self._engine is None or self._engine.spider is None
        if self.crawling and not is_closed and not self._is_open:
            self.crawling = False
            self._closed = asyncio.Event()
            await self._closed.wait()
            return
        if is_closed and self._closed is not None:
            self._closed.set()
        await super().stop_async()
