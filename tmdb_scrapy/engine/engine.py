"""The engine: one task for the whole way of a request, from the scheduler to its last signal."""

from __future__ import annotations

import asyncio
import inspect
import logging
from collections.abc import Callable
from typing import Any

from scrapy import Item, Request, signals
from scrapy.core.engine import ExecutionEngine
from scrapy.http import Response
from scrapy.utils.log import logformatter_adapter
from twisted.python.failure import Failure

logger = logging.getLogger(__name__)

SMALLEST_BYTES = 1024
"""What Scrapy's scraper counts a response as at least."""


FAR_S = 0.05
"""A request that took so long has a long way: over it, each turn of the event loop in which nothing leaves is
lost. Over a short way requests that leave together, a turn later, cost a fifth less processor time."""


class NextCall:
    """Scrapy's CallLaterOnce over `call_soon`: runs a function in the next turn of the event loop, once."""

    def __init__(self, function: Callable[[], Any]) -> None:
        self._function = function
        self._handle: asyncio.Handle | None = None
        self._loop = asyncio.get_running_loop()
        self._waiting: list[asyncio.Future[None]] = []

    def schedule(self, delay: float = 0) -> None:
        if self._handle is None:
            self._handle = self._loop.call_soon(self)

    def cancel(self) -> None:
        if self._handle is not None:
            self._handle.cancel()
            self._handle = None

    def __call__(self) -> None:
        self._handle = None
        self._function()
        waiting, self._waiting = self._waiting, []
        for future in waiting:
            if not future.done():
                future.set_result(None)

    async def wait(self) -> None:
        future = self._loop.create_future()
        self._waiting.append(future)
        await future


class DirectEngine(ExecutionEngine):
    """Scrapy's engine with a shortcut: a request is fetched, parsed and its item processed in one task.

    Scrapy makes eight tasks and as many Deferreds of a request. Middlewares, pipelines, signals, callbacks
    and errbacks are called as ever and in the same order; where spider middlewares are installed, or a
    callback is a generator, Scrapy's own code does its part.
    """

    async def _start_request_processing(self) -> None:
        assert self._slot is not None
        nextcall: Any = NextCall(self._start_scheduled_requests)
        self._slot.nextcall = nextcall
        self._tasks: dict[Request, asyncio.Task[None]] = {}
        methods = self.scraper.spidermw.methods
        names = ("process_spider_input", "process_spider_output", "process_spider_exception")
        self._has_spider_middleware = any(any(methods[name]) for name in names)
        self._has_downloader_middleware = any(self.downloader.middleware.methods.values())
        try:
            nextcall.schedule()
            self._slot.heartbeat.start(self._SLOT_HEARTBEAT_INTERVAL)
            while self._start and self.spider and self.running:
                await self._process_start_next()
                # Scrapy waits for a turn of the event loop after each of them; ours waits when it has enough.
                self._start_scheduled_requests()
        except asyncio.CancelledError:
            return  # the engine stops
        except Exception:
            self._start_request_processing_awaitable = None
            logger.exception("Error while processing requests from start()", extra={"spider": self.spider})
            await self.stop_async()

    def spider_is_idle(self) -> bool:
        """As Scrapy's, which does not know of an answer that is not looked at yet."""
        return super().spider_is_idle() and not (self._slot and self._slot.inprogress)

    def _start_scheduled_request(self) -> bool:
        assert self._slot is not None
        request = self._slot.scheduler.next_request()
        if request is None:
            self.signals.send_catch_log(signals.scheduler_empty)
            return False
        self._slot.add_request(request)
        self.downloader.active.add(request)
        self._tasks[request] = asyncio.get_running_loop().create_task(self._process(request))
        return True

    async def _process(self, request: Request) -> None:
        slot = self._slot
        assert slot is not None
        loop = asyncio.get_running_loop()
        began = loop.time()
        try:
            result = await self._fetch(request)
            if loop.time() - began < FAR_S:
                slot.nextcall.schedule()
            else:
                self._start_scheduled_requests()
                await asyncio.sleep(0)  # and now they leave, before this answer is looked at
            if isinstance(result, Request):
                self.crawl(result)
            else:
                await self._scrape(result, request)
        except Exception:
            logger.error("Error while processing %s", request, exc_info=True, extra={"spider": self.spider})
        finally:
            del self._tasks[request]
            slot.remove_request(request)
            slot.nextcall.schedule()

    async def _fetch(self, request: Request) -> Response | Request | Failure:
        downloader = self.downloader
        try:
            result: Response | Request
            if self._has_downloader_middleware:
                result = await downloader.middleware.download_async(downloader._enqueue_request, request)
            else:
                result = await downloader._enqueue_request(request)
        except Exception:
            return Failure()  # type: ignore[no-untyped-call]
        finally:
            downloader.active.remove(request)
        if isinstance(result, Response):
            if result.request is None:
                result.request = request
            assert self.spider is not None
            line = self.logformatter.crawled(result.request, result, self.spider)
            if line is not None:
                logger.log(*logformatter_adapter(line), extra={"spider": self.spider})
            self.signals.send_catch_log(
                signals.response_received, response=result, request=result.request, spider=self.spider
            )
        return result

    async def _scrape(self, result: Response | Failure, request: Request) -> None:
        """Count the response in and out as Scrapy's scraper does, so that idleness and backout are right."""
        scraper = self.scraper
        slot = scraper.slot
        assert slot is not None
        is_response = isinstance(result, Response)
        size = max(len(result.body), SMALLEST_BYTES) if isinstance(result, Response) else SMALLEST_BYTES
        slot.active.add(request)
        slot.active_size += size
        try:
            if is_response and not self._has_spider_middleware:
                await self._parse(result, request)
            else:
                await scraper._scrape(result, request)
        finally:
            slot.active.remove(request)
            slot.active_size -= size
            scraper._check_if_closing()

    async def _parse(self, response: Any, request: Request) -> None:
        scraper = self.scraper
        origin = response.request
        assert self.spider is not None
        callback = origin.callback or self.spider._parse
        try:
            output = callback(response, **origin.cb_kwargs)
            if inspect.iscoroutine(output):
                output = await output
        except Exception:
            scraper.handle_spider_error(Failure(), request, response)  # type: ignore[no-untyped-call]
            return
        if output is None:
            return
        if isinstance(output, Request):
            self.crawl(output)
        elif inspect.isasyncgen(output) or (
            hasattr(output, "__iter__") and not isinstance(output, (dict, Item, str, bytes))
        ):
            await scraper.handle_spider_output_async(output, request, response)
        else:
            await scraper.start_itemproc_async(output, response=response)
