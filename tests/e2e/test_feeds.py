"""Scrapy's own ``-o FILE`` beside the parts."""

from __future__ import annotations

from collections.abc import Callable

from crawl import Crawl


def test_a_feed_has_the_records_as_the_merged_file_has_them(crawl: Callable[..., Crawl]) -> None:
    fed = crawl("--movies", "200", RATE_LIMIT="0")
    fed.seed()
    fed.start(1, "-o", "feed.jsonl")
    fed.finish()
    fed.assert_exact()
    assert sorted((fed.directory / "feed.jsonl").read_bytes().splitlines()) == sorted(
        fed.merged.read_bytes().splitlines()
    )


def test_a_format_that_cannot_hold_a_record_is_refused_before_anything_is_asked(
    crawl: Callable[..., Crawl],
) -> None:
    fed = crawl("--movies", "10")
    fed.seed()
    ended = fed.scrapy("crawl", "movies", "-o", "feed.json")
    assert ended.code == 2 and "jsonl" in ended.output, ended
    assert (fed.queued(), fed.asked()) == (10, 0)
