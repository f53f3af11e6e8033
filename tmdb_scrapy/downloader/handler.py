"""The download handler: a request to the API waits for its turn, and again if it is refused for pace."""

from __future__ import annotations

import asyncio

from scrapy import Request
from scrapy.core.downloader.handlers.base import BaseDownloadHandler
from scrapy.crawler import Crawler
from scrapy.exceptions import CannotResolveHostError, DownloadConnectionRefusedError
from scrapy.http import Response

from tmdb_scrapy.downloader.connections import HttpResponse
from tmdb_scrapy.downloader.reach import Reach
from tmdb_scrapy.downloader.responses import ApiResponse, any_response, api_response
from tmdb_scrapy.downloader.retry_after import retry_after_s
from tmdb_scrapy.downloader.verdict import Verdict, judge, message_in
from tmdb_scrapy.downloader.wire import DroppedError, ProxyRefusedError, UntrustedError, Wire
from tmdb_scrapy.worker import pacing_of

DROPS_FORGIVEN = 2
"""How often the server may drop a request's new connection in a time when it answers others, before that is
held against the ID."""
NOBODY_THERE = (DownloadConnectionRefusedError, CannotResolveHostError, UntrustedError, ProxyRefusedError)


class TmdbDownloadHandler(BaseDownloadHandler):
    """Sends requests to the API in their turn, and requests to others at once.

    A 429, and a server that takes no connection, say nothing of the ID: the request waits for another turn
    in here. Everything else goes up, as a response or as one of Scrapy's download errors.
    """

    lazy = True

    def __init__(self, crawler: Crawler) -> None:
        super().__init__(crawler)
        self._pacing = pacing_of(crawler)
        self._wire = Wire(self._pacing.config, crawler.settings)
        self._reach = Reach(self._wire, self._pacing)
        self._pacing.probe_with(self._reach.probe)

    async def download_request(self, request: Request) -> Response:
        """The response to `request`. Raises Scrapy's download errors, `Stopping` when the worker ends, and
        `GivenUp` when it has to.

        Sets ``request.meta["chargeable"]``: whether a failure may be held against the ID.
        """
        if not request.url.startswith(self._wire.api):
            received = await self._wire.send(request)
            self._count_response(received)
            return any_response(request, received)
        drops = 0
        while True:
            await self._reach.turn()
            try:
                response = await self._attempt(request)
            except DroppedError:
                drops += request.meta["chargeable"]
                if drops > DROPS_FORGIVEN:
                    raise
            else:
                if response is not None:
                    return response

    async def _attempt(self, request: Request) -> ApiResponse | None:
        """The response to one request on the wire; None when it says nothing of the ID: repeat it."""
        loop, pacing = asyncio.get_running_loop(), self._pacing
        sent_at, sent_in = loop.time(), pacing.breaker.generation
        pacing.in_flight += 1
        try:
            received = await self._wire.send(request)
        except NOBODY_THERE as error:
            # Nobody was there to judge the ID. A CDN that limits connections refuses so too.
            self._refused(sent_at, sent_in, error)
            return None
        except DroppedError as error:
            request.meta["chargeable"] = self._refused(sent_at, sent_in, error)
            raise
        except Exception as error:
            request.meta["chargeable"] = pacing.failed(sent_in, str(error))
            raise
        finally:
            pacing.in_flight -= 1
        self._count_response(received)
        pacing.answers += 1
        pacing.durations.add(loop.time() - sent_at)
        verdict = judge(received.status, received.body)
        if verdict is Verdict.THROTTLED:
            pacing.throttled += 1
            pacing.governor.throttled(sent_at, retry_after_s(received.headers))
            return None
        pacing.governor.answered(sent_at)
        if verdict is not Verdict.RECORD:
            received = self._wire.masked(received)
        await self._weigh(request, received, verdict, sent_in)
        return api_response(request, received, verdict)

    async def _weigh(self, request: Request, received: HttpResponse, verdict: Verdict, sent_in: int) -> None:
        """Let the breaker and `Reach` know of a response, before anybody concludes something from it."""
        if verdict is Verdict.UNAVAILABLE or verdict is Verdict.BROKEN:
            why = f"HTTP {received.status} {message_in(received.body)}".strip()
            if obstacle := self._reach.failed_by_response(request.url, received):
                why = obstacle.sentence
            request.meta["chargeable"] = self._pacing.failed(sent_in, why)
            return
        if verdict is Verdict.MISSING:
            await self._reach.prove()
        self._reach.passed(request.url, verdict)
        self._pacing.breaker.succeeded()

    def _refused(self, sent_at: float, sent_in: int, error: Exception) -> bool:
        """No connection, or one that was dropped: slow down. Returns whether the ID may be charged."""
        self._pacing.governor.throttled(sent_at, None)
        self._count("pacing/refused")
        obstacle = self._reach.failed_by_error(error)
        return self._pacing.failed(sent_in, obstacle.sentence if obstacle else str(error))

    def _count_response(self, received: HttpResponse) -> None:
        self._count("downloader/response_count")
        self._count("downloader/response_bytes", len(received.body))
        self._count(f"downloader/response_status_count/{received.status}")

    def _count(self, what: str, by: int = 1) -> None:
        if self.crawler.stats:
            self.crawler.stats.inc_value(what, by)

    async def close(self) -> None:
        await self._wire.close()
