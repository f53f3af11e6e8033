"""Which records are kept."""

from __future__ import annotations

from typing import Any, Self

from scrapy.crawler import Crawler
from scrapy.exceptions import DropItem

from tmdb_scrapy.config import Config
from tmdb_scrapy.records.record import Record


class Filtered(DropItem):
    """A well-formed record that does not qualify. `reason` names the first field that fails."""

    def __init__(self, reason: str) -> None:
        super().__init__(f"does not qualify: {reason}")
        self.reason = reason


class FilterPipeline:
    """Drops records that do not qualify by the filter of their kind; everything else passes. Counts
    ``filter/REASON`` in the stats."""

    def __init__(self, crawler: Crawler, config: Config) -> None:
        self._crawler = crawler
        self._config = config

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> Self:
        return cls(crawler, crawler.settings["TMDB_CONFIG"])

    def process_item(self, item: Any) -> Any:
        """The item, or raises `Filtered`."""
        if not isinstance(item, Record) or not self._config.filters(item.kind):
            return item
        assert item.kind.filter is not None
        reason = item.kind.filter.disqualify(item.deciding, self._config.of_kinds)
        if reason is None:
            return item
        if self._crawler.stats:
            self._crawler.stats.inc_value(f"filter/{reason}")
        raise Filtered(reason)
