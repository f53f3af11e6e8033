"""Which movies are kept."""

from __future__ import annotations

from typing import Any, Self

from scrapy.crawler import Crawler
from scrapy.exceptions import DropItem

from tmdb_scrapy.config import Config
from tmdb_scrapy.items import Movie


class Filtered(DropItem):
    """A well-formed movie that does not qualify. `reason` names the first field that fails."""

    def __init__(self, reason: str) -> None:
        super().__init__(f"does not qualify: {reason}")
        self.reason = reason


def disqualification(movie: Movie, min_budget: int, min_revenue: int) -> str | None:
    """The first field by which `movie` does not qualify, or None.

    The original's rule: budget > `min_budget`, revenue >= `min_revenue` (US dollars), and genres, cast and
    crew are all non-empty.
    """
    if movie.budget is None or movie.budget <= min_budget:
        return "budget"
    if movie.revenue is None or movie.revenue < min_revenue:
        return "revenue"
    if not movie.has_genres:
        return "genres"
    if not movie.has_cast:
        return "cast"
    if not movie.has_crew:
        return "crew"
    return None


class FilterPipeline:
    """Drops movies that do not qualify; everything else passes. Counts ``filter/REASON`` in the stats."""

    def __init__(self, crawler: Crawler, config: Config) -> None:
        self._crawler = crawler
        self._config = config

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> Self:
        return cls(crawler, crawler.settings["TMDB_CONFIG"])

    def process_item(self, item: Any) -> Any:
        """The item, or raises `Filtered`."""
        if not isinstance(item, Movie) or not self._config.filter:
            return item
        reason = disqualification(item, self._config.min_budget, self._config.min_revenue)
        if reason is None:
            return item
        if self._crawler.stats:
            self._crawler.stats.inc_value(f"filter/{reason}")
        raise Filtered(reason)
