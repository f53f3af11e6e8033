"""Gives a crawler its `Pacing`, and closes it in time."""

from __future__ import annotations

import asyncio
import logging
from typing import Self

from scrapy import signals
from scrapy.crawler import Crawler

from tmdb_scrapy.config import Config
from tmdb_scrapy.pacing.pacing import Pacing

logger = logging.getLogger(__name__)

WATCH_INTERVAL_S = 0.2


class PacingExtension:
    """Makes the worker's `pacing` from its settings, and writes what it counted into the stats."""

    def __init__(self, crawler: Crawler) -> None:
        settings = crawler.settings
        # Our spiders put it there; that of `scrapy shell URL` does not.
        config: Config = settings["TMDB_CONFIG"] or Config.from_settings(settings)
        self.pacing = Pacing(config, settings.getfloat("DOWNLOAD_DELAY"))
        self._crawler = crawler
        self._watch: asyncio.Task[None] | None = None
        crawler.signals.connect(self.opened, signals.spider_opened)
        crawler.signals.connect(self.ended, signals.spider_closed)
        if settings.getbool("AUTOTHROTTLE_ENABLED"):
            logger.warning(
                "AUTOTHROTTLE_ENABLED changes nothing here: requests are paced by the API's own refusals. "
                "RATE_LIMIT or DOWNLOAD_DELAY slow them down"
            )

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> Self:
        return cls(crawler)

    @classmethod
    def pacing_of(cls, crawler: Crawler) -> Pacing:
        """The pacing of a crawler that has this extension."""
        extension = crawler.get_extension(cls)
        assert extension is not None  # the settings page has it, and the spider stops without it
        return extension.pacing

    def opened(self) -> None:
        self._watch = asyncio.ensure_future(self._close_with_engine())

    async def _close_with_engine(self) -> None:
        """Let nobody wait for a turn once the engine stops: it waits for its requests before it says so
        with any signal."""
        while True:
            await asyncio.sleep(WATCH_INTERVAL_S)
            engine = self._crawler.engine
            slot = engine._slot if engine else None
            if slot is not None and slot.closing is not None:
                self.pacing.close()
                return

    def ended(self) -> None:
        self.pacing.close()
        if self._watch:
            self._watch.cancel()
        if self._crawler.stats:
            self._crawler.stats.set_value("pacing/throttled", self.pacing.throttled)
            self._crawler.stats.set_value("pacing/answers", self.pacing.answers)
