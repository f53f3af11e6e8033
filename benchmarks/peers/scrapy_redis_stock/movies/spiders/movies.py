"""The spider: IDs from the Redis list `movies:start_urls`, items to `scrapy crawl movies -O movies.jsonl`."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator, Iterator
from typing import Any
from urllib.parse import urlencode

from scrapy import Request
from scrapy.http import TextResponse
from scrapy_redis.spiders import RedisSpider

API_URL = os.environ["TMDB_API_URL"]
QUERY = urlencode(
    {
        "language": "en-US",
        "append_to_response": "credits,keywords,similar,recommendations",
        "api_key": os.environ["TMDB_API_KEY"],
    }
)


class MoviesSpider(RedisSpider):  # type: ignore[misc]  # scrapy-redis has no types
    name = "movies"
    redis_key = "movies:start_urls"

    async def start(self) -> AsyncIterator[Any]:
        """scrapy-redis 0.9.1 only has start_requests(), which Scrapy 2.16 stopped calling."""
        for request in self.start_requests():
            yield request

    def make_request_from_data(self, data: bytes) -> Request:
        return Request(f"{API_URL}/movie/{data.decode()}?{QUERY}")

    def parse(self, response: TextResponse, **kwargs: Any) -> Iterator[dict[str, Any]]:
        movie = response.json()
        credits = movie.get("credits") or {}
        if (
            (movie.get("budget") or 0) > 1000
            and (movie.get("revenue") or 0) >= 10_000_000
            and movie.get("genres")
            and credits.get("cast")
            and credits.get("crew")
        ):
            yield movie
