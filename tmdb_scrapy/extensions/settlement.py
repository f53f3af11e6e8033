"""Every leased ID ends in an outcome, and is settled once its line is on disk."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections import Counter
from typing import Any, Self

from redis.exceptions import RedisError
from scrapy import Request, signals
from scrapy.crawler import Crawler
from scrapy.http import Response
from twisted.python.failure import Failure

from tmdb_scrapy.extensions.heartbeat import HeartbeatExtension
from tmdb_scrapy.open_files import advice
from tmdb_scrapy.queue.connection import explain
from tmdb_scrapy.queue.feed import Claim
from tmdb_scrapy.queue.recorded_settings import OtherSettings
from tmdb_scrapy.queue.states import State
from tmdb_scrapy.queue.tasks import end
from tmdb_scrapy.records.record import Record
from tmdb_scrapy.worker import Worker, worker_of

logger = logging.getLogger(__name__)

INTERVAL_S = 0.4
"""Between batches: each costs a flush, a sync and a round trip, whatever its size."""
FEW = 10
LONGEST_WAIT_S = 1.0
"""Fewer outcomes than that wait so long for others: Redis has as much work with one as with several."""
LONGEST_BATCH = 1_000
LAST_CHANCE_S = 10.0
"""How long a stopping worker waits for a Redis that is away, before it leaves its outcomes to be fetched
again by others."""


class SettlementExtension:
    """Listens for what becomes of each ID and settles in batches: flush, sync, then Redis."""

    def __init__(self, crawler: Crawler, worker: Worker) -> None:
        self._crawler = crawler
        self._worker = worker
        self._loop_task: asyncio.Task[None] | None = None
        self._last_at = 0.0
        self._lock = asyncio.Lock()
        self._ending = asyncio.Event()
        self._warned = False
        self.outcomes: Counter[str] = Counter()
        """IDs settled by this worker, by label of the state."""
        connect = crawler.signals.connect
        connect(self.opened, signals.spider_opened)
        connect(self.kept, signals.item_scraped)
        connect(self.dropped, signals.item_dropped)
        connect(self.item_failed, signals.item_error)
        connect(self.spider_failed, signals.spider_error)
        connect(self.request_dropped, signals.request_dropped)
        connect(self.closed, signals.spider_closed)

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> Self:
        """Raises `NotConfigured` for a spider that leases nothing, as that of `scrapy shell`."""
        return cls(crawler, worker_of(crawler))

    def opened(self) -> None:
        self._last_at = asyncio.get_running_loop().time()
        self._loop_task = asyncio.ensure_future(self._settle_regularly())

    def kept(self, item: Any, response: Response | Failure | None) -> None:
        claim = _claim_of(response)
        if claim is None:
            return
        if self._worker.take_written(claim.id):
            self._worker.feed.finish(claim, State.KEPT)
        elif not claim.settled and not self._warned:
            self._warned = True
            logger.warning(
                "ID %d: a %s came out of the pipelines and has no line in the part. An ID is kept only when "
                "its Record reaches PartWriterPipeline: let what makes other items of it come later",
                claim.id, type(item).__name__,
            )  # fmt: skip

    def dropped(self, item: Any, response: Response | Failure | None, exception: BaseException) -> None:
        self._finish_record(item, response, State.DROPPED, getattr(exception, "reason", None) or "pipeline")

    def item_failed(self, item: Any, response: Response | Failure | None, failure: Failure) -> None:
        if failure.value is not None and failure.value is self._worker.part.refusal:
            self._disk_refused(failure.value)
        else:
            self._finish_record(item, response, State.FAILED, type(failure.value).__name__)

    def spider_failed(self, failure: Failure, response: Response | Failure | None) -> None:
        if claim := _claim_of(response):
            self._worker.feed.finish(claim, State.FAILED, type(failure.value).__name__)

    def request_dropped(self, request: Request) -> None:
        if claim := request.meta.get("claim"):
            self._worker.feed.finish(claim, State.FAILED, "request_dropped")

    def _finish_record(
        self, item: Any, response: Response | Failure | None, state: State, reason: str
    ) -> None:
        """The end of a record, not of whatever else a user's code makes of its response."""
        claim = _claim_of(response)
        if claim is not None and isinstance(item, Record) and item.id == claim.id:
            self._worker.take_written(claim.id)
            self._worker.feed.finish(claim, state, reason)

    async def _settle_regularly(self) -> None:
        while not self._ending.is_set():
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(INTERVAL_S):
                    await self._ending.wait()
            if self._can_wait() and not self._ending.is_set():
                continue
            try:
                await self.settle()
            except OSError as error:
                self._disk_refused(error)
                return
            except Exception as error:
                logger.exception("Settling failed")
                self._worker.stop("settling_failed", f"outcomes cannot be settled: {error}")
                return

    def _can_wait(self) -> bool:
        """Whether it would be a small batch soon after another, and more is under way."""
        feed, now = self._worker.feed, asyncio.get_running_loop().time()
        return feed.finished < min(FEW, feed.held) and now - self._last_at < LONGEST_WAIT_S

    async def settle(self) -> None:
        """Put the lines of all outcomes so far on disk, then settle these outcomes.

        Raises `OSError` when the disk refuses; then nothing of this batch is settled.
        """
        async with self._lock:
            feed = self._worker.feed
            finished = feed.take_finished()
            if any(settlement.state is State.KEPT for settlement in finished):
                await self._sync()
            now = asyncio.get_running_loop().time()
            elapsed_s, self._last_at = now - self._last_at, now
            for start in range(0, max(len(finished), 1), LONGEST_BATCH):
                await feed.settle(finished[start : start + LONGEST_BATCH], self._worker.traffic, elapsed_s)
            self._record(finished)

    async def _sync(self) -> None:
        self._worker.part.flush()
        await asyncio.to_thread(self._worker.part.sync)

    def _record(self, finished: list[Any]) -> None:
        for settlement in finished:
            self.outcomes[settlement.state.label] += 1
        if self._crawler.stats:
            for label, count in self.outcomes.items():
                self._crawler.stats.set_value(f"settled/{label}", count)

    def _disk_refused(self, error: BaseException | None) -> None:
        where = self._worker.config.data_dir
        otherwise = f"free some space in DATA_DIR ({where}), or let this user write there"
        self._worker.stop(
            "disk_refused",
            f"a part cannot be written ({error}): " + advice(error, otherwise),
        )

    async def closed(self, reason: str) -> None:
        worker = self._worker
        self._ending.set()
        if self._loop_task:
            await end(self._loop_task, LAST_CHANCE_S)
        await worker.feed.end()
        try:
            async with asyncio.timeout(LAST_CHANCE_S):
                await self.settle()
        except TimeoutError:
            logger.warning(
                "Redis is away: the last outcomes were not recorded, their IDs will be fetched again"
            )
        except OSError as error:
            logger.error("The last lines could not be written (%s): their IDs will be fetched again", error)
        except OtherSettings as error:
            logger.error("%s. The last IDs will be fetched again", error)
        except RedisError as error:
            logger.error("%s. The last IDs will be fetched again", explain(error, worker.config))
        heartbeat = self._crawler.get_extension(HeartbeatExtension)
        if heartbeat is not None:
            await heartbeat.end()
        await worker.client.aclose()


def _claim_of(response: Response | Failure | None) -> Claim | None:
    """The claim of the request that was answered; a user's errback may have only a failure to show."""
    return response.meta.get("claim") if isinstance(response, Response) else None
