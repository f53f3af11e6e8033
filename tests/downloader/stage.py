"""A download handler on a stage: its crawler, the server that it talks to, and ways to wait for both."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from typing import Any

from scrapy import Request
from scrapy.crawler import Crawler
from scrapy.http import Response
from scripted_server import Script, Server, serving, sized

from tmdb_scrapy.downloader.handler import TmdbDownloadHandler
from tmdb_scrapy.downloader.wire import Wire
from tmdb_scrapy.worker import pacing_of

V3_KEY = "0123456789abcdef" * 2
V4_TOKEN = "eyJhbGciOiJIUzI1NiJ9.eyJhdWQiOiJ4In0.c2lnbmF0dXJl-_"
RECORD = sized(b'{"id": 7}')
TOO_MANY = json.dumps({"success": False, "status_code": 25, "status_message": "Too many."}).encode()
DEADLINE_S = 20.0

MakeCrawler = Callable[..., Crawler]


class Stage:
    """A handler, the server that it talks to, and the crawler around both."""

    def __init__(self, server: Server, crawler: Crawler) -> None:
        self.server = server
        self.crawler = crawler
        self.pacing = pacing_of(crawler)
        self.handler = TmdbDownloadHandler(crawler)
        self.wire = Wire(self.pacing.config, crawler.settings)

    def request(self, tmdb_id: int = 7, **named: Any) -> Request:
        return Request(f"{self.server.url}/3/movie/{tmdb_id}?language=en-US", **named)

    async def download(self, request: Request | None = None) -> Response:
        return await self.handler.download_request(request or self.request())

    def count(self, name: str) -> int:
        assert self.crawler.stats is not None
        return int(self.crawler.stats.get_value(name, 0))


@asynccontextmanager
async def staged(
    script: Script, make_crawler: MakeCrawler, settings: dict[str, Any] | None = None, **variables: str
) -> AsyncIterator[Stage]:
    async with serving(script) as server:
        variables = {"TMDB_API_KEY": V3_KEY, "TMDB_API_URL": f"{server.url}/3"} | variables
        stage = Stage(server, make_crawler(settings, **variables))
        try:
            yield stage
        finally:
            stage.pacing.close()
            await stage.handler.close()
            await stage.wire.close()


async def until(condition: Callable[[], object]) -> None:
    """Wait for what another task does."""
    loop = asyncio.get_running_loop()
    deadline = loop.time() + DEADLINE_S
    while not condition():
        assert loop.time() < deadline, "it does not come true"
        await asyncio.sleep(0.01)


def run(scenario: Coroutine[Any, Any, None]) -> None:
    asyncio.run(asyncio.wait_for(scenario, DEADLINE_S))


def error(code: int, message: str, status: int, *headers: bytes) -> bytes:
    body = json.dumps({"success": False, "status_code": code, "status_message": message}).encode()
    return sized(body, *headers, status=status)
