"""Log lines that stay short: no bodies, and none for each of a million responses unless asked for."""

from __future__ import annotations

import logging
from typing import Any

from scrapy import Request, Spider
from scrapy.http import Response
from scrapy.logformatter import LogFormatter, LogFormatterResult
from twisted.python.failure import Failure

logger = logging.getLogger("scrapy")


class TmdbLogFormatter(LogFormatter):
    """Scrapy's lines at LOG_LEVEL=DEBUG; above that, only errors."""

    def crawled(self, request: Request, response: Response, spider: Spider) -> LogFormatterResult:
        if logger.isEnabledFor(logging.DEBUG):
            return super().crawled(request, response, spider)
        return None  # type: ignore[return-value]  # Scrapy's documented way to say: no line

    def scraped(self, item: Any, response: Any, spider: Spider) -> LogFormatterResult:
        if logger.isEnabledFor(logging.DEBUG):
            return super().scraped(item, response, spider)
        return None  # type: ignore[return-value]

    def dropped(
        self, item: Any, exception: BaseException, response: Response | Failure | None, spider: Spider
    ) -> LogFormatterResult:
        if logger.isEnabledFor(logging.DEBUG):
            return {**super().dropped(item, exception, response, spider), "level": logging.DEBUG}
        return None  # type: ignore[return-value]
