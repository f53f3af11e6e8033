"""How fast a worker may ask by its settings."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any

import pytest
from scrapy import Spider
from scrapy.crawler import Crawler

from tmdb_scrapy.worker import pacing_of

MakeCrawler = Callable[..., Crawler]


@pytest.mark.parametrize(
    ("settings", "rate_limit", "cap_per_s"),
    [
        ({}, "40", 40),
        ({}, "0", 0),
        ({"DOWNLOAD_DELAY": 0.5}, "40", 2),
        ({"DOWNLOAD_DELAY": "0.5"}, "0", 2),
        ({"DOWNLOAD_DELAY": 0.01}, "40", 40),
    ],
)
def test_download_delay_and_rate_limit_both_hold(
    make_crawler: MakeCrawler, settings: dict[str, Any], rate_limit: str, cap_per_s: float
) -> None:
    pacing = pacing_of(make_crawler(settings, RATE_LIMIT=rate_limit))
    assert pacing.governor.pace.cap_per_s == cap_per_s


@pytest.mark.parametrize("enabled", [False, True])
def test_autothrottle_is_told_to_change_nothing(
    make_crawler: MakeCrawler, caplog: pytest.LogCaptureFixture, enabled: bool
) -> None:
    with caplog.at_level(logging.WARNING, logger="tmdb_scrapy"):
        make_crawler({"AUTOTHROTTLE_ENABLED": enabled})
    said = [message for message in caplog.messages if "AUTOTHROTTLE_ENABLED" in message]
    assert len(said) == enabled


def test_a_spider_that_is_not_ours_is_paced_by_the_users_configuration(make_crawler: MakeCrawler) -> None:
    pacing = pacing_of(make_crawler(spider_class=Spider, RATE_LIMIT="7"))
    assert pacing.governor.pace.cap_per_s == 7
