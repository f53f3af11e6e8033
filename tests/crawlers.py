"""Crawlers that do not run, made in the order in which Scrapy makes them: the spider comes first."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from scrapy import Spider
from scrapy.crawler import AsyncCrawlerRunner, Crawler

from tmdb_scrapy import settings as page


def crawler_of(spider_class: type[Spider], settings: Mapping[str, Any] | None = None) -> Crawler:
    """A crawler with the project's settings and its components; `settings` come over those."""
    ours = {name: getattr(page, name) for name in dir(page) if name.isupper()}
    bare = {"TWISTED_REACTOR_ENABLED": False, "TELNETCONSOLE_ENABLED": False, "ASYNCIO_EVENT_LOOP": None}
    crawler = AsyncCrawlerRunner({**ours, **bare, **(settings or {})}).create_crawler(spider_class)
    crawler.spider = spider_class.from_crawler(crawler, name=getattr(spider_class, "name", "any"))
    crawler._apply_settings()
    return crawler
