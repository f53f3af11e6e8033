"""Asking the API for lists, outside of a crawl: change feeds and discover. IDs are the spider's business."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from types import TracebackType
from typing import Self
from urllib.parse import urlencode

from scrapy import Request
from scrapy.exceptions import DownloadFailedError
from scrapy.settings import BaseSettings

from tmdb_scrapy.config import Config
from tmdb_scrapy.downloader.reach import NO_RESPONSE
from tmdb_scrapy.downloader.retry_after import retry_after_s
from tmdb_scrapy.downloader.verdict import Verdict, judge, message_in
from tmdb_scrapy.downloader.wire import Wire

ATTEMPTS = 6
FIRST_WAIT_S = 0.5
LONGEST_WAIT_S = 300.0


class NotAnswered(Exception):
    """The API did not give what was asked for; the text says why, and what to do next."""


class Asking:
    """Sends at most RATE_LIMIT (and FLEET_RATE_LIMIT) requests a second, THREADS at a time; after a 429 none
    for a while. It cannot know of workers that crawl at the same time: their requests come on top."""

    def __init__(self, config: Config, settings: BaseSettings) -> None:
        self._wire = Wire(config, settings)
        self._places = asyncio.Semaphore(config.threads)
        limits = [limit for limit in (config.rate_limit, config.fleet_rate_limit) if limit]
        self._gap_s = 1 / min(limits) if limits else 0.0
        self._turns = asyncio.Lock()
        self._next_at = 0.0
        self.sent = 0
        """How many requests went out."""

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._wire.close()

    async def ask(self, path: str, query: Mapping[str, str]) -> bytes:
        """The body of the answer. Raises `NotAnswered`."""
        found = await self.look(path, query)
        if found is None:
            raise NotAnswered(f"the API has no {path}: check TMDB_API_URL")
        return found

    async def look(self, path: str, query: Mapping[str, str]) -> bytes | None:
        """The body of the answer, None when there is nothing of that name. Raises `NotAnswered`."""
        request = Request(f"{self._wire.api}{path}?{urlencode(query)}")
        reason, wait_s = "", 0.0
        for attempt in range(ATTEMPTS):
            await asyncio.sleep(wait_s)
            wait_s = FIRST_WAIT_S * 2**attempt
            async with self._places:
                await self._turn()
                try:
                    received = self._wire.masked(await self._wire.send(request))
                except (*NO_RESPONSE, DownloadFailedError) as error:
                    reason = str(error)
                else:
                    verdict = judge(received.status, received.body)
                    if verdict is Verdict.RECORD:
                        return received.body
                    if verdict is Verdict.MISSING:
                        return None
                    reason = message_in(received.body) or f"HTTP {received.status}"
                    if verdict in {Verdict.KEY_REFUSED, Verdict.REQUEST_REFUSED}:
                        raise NotAnswered(f"the API refused {path}: {reason}. Check TMDB_API_KEY")
                    if verdict is Verdict.THROTTLED:
                        wait_s = min(max(retry_after_s(received.headers) or 0.0, wait_s), LONGEST_WAIT_S)
                        self._fall_silent(wait_s)
        raise NotAnswered(f"the API gave no answer for {path}, {ATTEMPTS} times: {reason}. Try again later")

    async def _turn(self) -> None:
        """Wait until a request may go, however long that takes to come."""
        loop = asyncio.get_running_loop()
        async with self._turns:
            while (left_s := self._next_at - loop.time()) > 0:  # noqa: ASYNC110  # a 429 moves it on
                await asyncio.sleep(left_s)
            self._next_at = max(self._next_at, loop.time()) + self._gap_s
        self.sent += 1

    def _fall_silent(self, seconds: float) -> None:
        self._next_at = max(self._next_at, asyncio.get_running_loop().time() + seconds)
