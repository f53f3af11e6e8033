"""Which engine a crawl goes through: the shorter way with the Scrapy versions that it was tested with, and
Scrapy's own with any other.

Nothing here imports the shorter way before it is chosen: another Scrapy may lack what that leans on.
"""

from __future__ import annotations

import logging

import scrapy
from scrapy.crawler import Crawler
from scrapy.settings import BaseSettings
from scrapy.utils.misc import load_object

from tmdb_scrapy.config import Config
from tmdb_scrapy.engine.crawler import TmdbCrawler

logger = logging.getLogger(__name__)

TESTED_WITH = frozenset({"2.19.0"})
"""The Scrapy versions that the end-to-end tests ran with."""

COMPONENTS = {
    "DOWNLOADER": "tmdb_scrapy.engine.downloader.DirectDownloader",
    "ITEM_PROCESSOR": "tmdb_scrapy.engine.items.DirectItems",
    "STATS_CLASS": "tmdb_scrapy.engine.stats.PlainStats",
}
"""What the shorter way has instead of Scrapy's, by the setting that names it."""

CRAWLER = "tmdb_scrapy.engine.direct_crawler.DirectCrawler"


def why_scrapys_own(config: Config | None) -> str:
    """Why a crawl goes through Scrapy's own engine; empty when it goes the shorter way."""
    if config is not None and config.tmdb_engine == "scrapy":
        return "TMDB_ENGINE=scrapy"
    if scrapy.__version__ not in TESTED_WITH:
        return f"the shorter way was tested with Scrapy {', '.join(sorted(TESTED_WITH))} alone"
    return ""


def crawler_class(config: Config) -> type[Crawler]:
    """The class of the crawler that `scrapy crawl` runs."""
    chosen: type[Crawler] = TmdbCrawler if why_scrapys_own(config) else load_object(CRAWLER)
    return chosen


class EngineAddon:
    """Puts `COMPONENTS` into the settings of a crawler that goes the shorter way, under what a user says."""

    def update_settings(self, settings: BaseSettings) -> None:
        """Called by Scrapy once the spider, if it is one of ours, has put the `Config` there."""
        if why := why_scrapys_own(settings["TMDB_CONFIG"]):
            logger.info("Scrapy %s's own engine is used, at half the speed: %s", scrapy.__version__, why)
            return
        for name, path in COMPONENTS.items():
            settings.set(name, path, priority="addon")
