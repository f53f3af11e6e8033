"""The scheduler: a deque. IDs are unique by the ledger and leases are limited, so neither a fingerprint
filter nor a priority queue has anything to do."""

from __future__ import annotations

import asyncio
from collections import deque
from typing import Any, Self

from scrapy import Request
from scrapy.core.scheduler import BaseScheduler
from scrapy.crawler import Crawler


class DequeScheduler(BaseScheduler):
    """First in, first out; a request with a positive priority (a middleware's retry) goes first."""

    def __init__(self, enough: int) -> None:
        self.mqs: deque[Request] = deque()
        """The requests; this name and `dqs`, those on disk, are what the telnet console's `est()` shows."""
        self.dqs = None
        self._enough = enough
        self._room: asyncio.Future[None] | None = None

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> Self:
        """`enough` is the concurrency: so many requests wait here, and no slot is ever idle."""
        return cls(crawler.settings.getint("CONCURRENT_REQUESTS"))

    def has_pending_requests(self) -> bool:
        return bool(self.mqs)

    def enqueue_request(self, request: Request) -> bool:
        if request.priority > 0:
            self.mqs.appendleft(request)
        else:
            self.mqs.append(request)
        return True

    def next_request(self) -> Request | None:
        if self._room is not None and len(self.mqs) <= self._enough // 2 and not self._room.done():
            self._room.set_result(None)
        return self.mqs.popleft() if self.mqs else None

    async def room(self) -> None:
        """Wait until the scheduler is at most half full."""
        if len(self.mqs) >= self._enough:
            self._room = asyncio.get_running_loop().create_future()
            await self._room

    def close(self, reason: str) -> Any:
        self.mqs.clear()
