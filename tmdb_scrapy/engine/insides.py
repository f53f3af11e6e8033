"""What is asked of any engine, Scrapy's own or the shorter way, and only its insides tell."""

from __future__ import annotations

from scrapy.crawler import Crawler


def is_closing(crawler: Crawler) -> bool:
    """Whether the crawler's engine has begun to stop. It waits for its requests before it says so with any
    signal."""
    slot = crawler.engine._slot if crawler.engine else None
    return slot is not None and slot.closing is not None


def is_idle(crawler: Crawler) -> bool:
    """Whether the crawler's engine has no request and no response in hand."""
    engine = crawler.engine
    assert engine is not None
    scraper, scheduler = engine.scraper.slot, engine.scheduler
    return (
        not engine.downloader.active
        and (scraper is None or scraper.is_idle())
        and (scheduler is None or not scheduler.has_pending_requests())
    )
