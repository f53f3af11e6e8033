"""Log lines that stay short: no bodies, and none for each of a million responses unless asked for."""

from __future__ import annotations

import logging
from typing import Any, Self

from scrapy import Request, Spider
from scrapy.crawler import Crawler
from scrapy.http import Response
from scrapy.logformatter import LogFormatter, LogFormatterResult
from scrapy.utils.log import get_scrapy_root_handler
from twisted.python.failure import Failure


class TmdbLogFormatter(LogFormatter):
    """Scrapy's lines at LOG_LEVEL=DEBUG; above that, only errors.

    Asking the loggers would not do: Scrapy sets them to DEBUG and filters in its handler, after the record is
    made.
    """

    def __init__(self, verbose: bool) -> None:
        self._verbose = verbose

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> Self:
        level = crawler.settings["LOG_LEVEL"]
        if not isinstance(level, int):
            level = logging.getLevelNamesMapping()[level]
        handler = get_scrapy_root_handler()
        return cls(level <= logging.DEBUG or (handler is not None and handler.level <= logging.DEBUG))

    def crawled(self, request: Request, response: Response, spider: Spider) -> LogFormatterResult:
        if self._verbose:
            return super().crawled(request, response, spider)
        return None  # type: ignore[return-value]  # Scrapy's documented way to say: no line

    def scraped(self, item: Any, response: Any, spider: Spider) -> LogFormatterResult:
        if self._verbose:
            return super().scraped(item, response, spider)
        return None  # type: ignore[return-value]

    def dropped(
        self, item: Any, exception: BaseException, response: Response | Failure | None, spider: Spider
    ) -> LogFormatterResult:
        if self._verbose:
            return {**super().dropped(item, exception, response, spider), "level": logging.DEBUG}
        return None  # type: ignore[return-value]
