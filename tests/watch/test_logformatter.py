"""Which of Scrapy's lines are written at which level."""

from __future__ import annotations

import logging

import pytest
from scrapy import Request, Spider
from scrapy.http import TextResponse
from scrapy.utils.test import get_crawler

from tmdb_scrapy.watch.logformatter import TmdbLogFormatter


@pytest.mark.parametrize(
    ("level", "told"),
    [("DEBUG", True), (logging.DEBUG, True), (0, True), ("INFO", False), (logging.INFO, False), (35, False)],
)
def test_responses_are_told_at_level_debug_by_name_or_by_number(level: str | int, told: bool) -> None:
    crawler = get_crawler(Spider, {"LOG_LEVEL": level, "LOG_ENABLED": False})
    request = Request("http://localhost/")
    response = TextResponse(request.url, request=request)
    line = TmdbLogFormatter.from_crawler(crawler).crawled(request, response, Spider("any"))
    assert (line is not None) is told
