"""Stats in a plain dictionary."""

from __future__ import annotations

from scrapy.statscollectors import MemoryStatsCollector


class PlainStats(MemoryStatsCollector):
    """As Scrapy's, without the look at every attribute that warns of a deprecated argument: a movie counts a
    dozen things."""

    __getattribute__ = object.__getattribute__
