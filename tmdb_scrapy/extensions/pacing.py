"""Gives a crawler its `Pacing`, and closes it in time."""

from __future__ import annotations

import asyncio
import logging
from typing import Self

from scrapy import signals
from scrapy.crawler import Crawler

from tmdb_scrapy.engine.insides import is_closing
from tmdb_scrapy.pacing.pacing import Pacing
from tmdb_scrapy.worker import worker_of

logger = logging.getLogger(__name__)

WATCH_INTERVAL_S = 0.2


class PacingExtension:
    """Gives a crawler the pacing of its worker, and writes what it counted into the stats."""

    def __init__(self, crawler: Crawler, pacing: Pacing) -> None:
        self.pacing = pacing
        self._crawler = crawler
        self._watch: asyncio.Task[None] | None = None
        crawler.signals.connect(self.opened, signals.spider_opened)
        crawler.signals.connect(self.ended, signals.spider_closed)
        if crawler.settings.getbool("AUTOTHROTTLE_ENABLED"):
            logger.warning(
                "AUTOTHROTTLE_ENABLED changes nothing here: requests are paced by the API's own refusals. "
                "RATE_LIMIT or DOWNLOAD_DELAY slow them down"
            )

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> Self:
        """Raises `NotConfigured` for a spider that leases nothing, as that of `scrapy shell`."""
        return cls(crawler, worker_of(crawler).pacing)

    def opened(self) -> None:
        self._watch = asyncio.ensure_future(self._close_with_engine())

    async def _close_with_engine(self) -> None:
        """Let nobody wait for a turn once the engine stops, for it waits for its requests."""
        while True:
            await asyncio.sleep(WATCH_INTERVAL_S)
            if is_closing(self._crawler):
                self.pacing.close()
                return

    def ended(self) -> None:
        self.pacing.close()
        if self._watch:
            self._watch.cancel()
        if self._crawler.stats:
            self._crawler.stats.set_value("pacing/throttled", self.pacing.throttled)
            self._crawler.stats.set_value("pacing/answers", self.pacing.answers)
