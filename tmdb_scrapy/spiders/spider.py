"""What the spiders share: the way of an ID from its lease to its outcome."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any, ClassVar

from redis.exceptions import RedisError
from scrapy import Request, signals
from scrapy.crawler import Crawler
from scrapy.exceptions import IgnoreRequest, NotSupported
from scrapy.http import Response
from scrapy.settings import BaseSettings
from scrapy_redis.spiders import RedisSpider
from twisted.python.failure import Failure

from tmdb_scrapy.config import Config
from tmdb_scrapy.downloader.obstacle import GivenUp
from tmdb_scrapy.downloader.responses import verdict_of
from tmdb_scrapy.downloader.verdict import Verdict, message_in
from tmdb_scrapy.engine.insides import is_idle
from tmdb_scrapy.engine.scheduler import DequeScheduler
from tmdb_scrapy.extensions.console import console_password
from tmdb_scrapy.extensions.heartbeat import HeartbeatExtension
from tmdb_scrapy.extensions.pacing import PacingExtension
from tmdb_scrapy.extensions.settlement import SettlementExtension
from tmdb_scrapy.kinds import Kind
from tmdb_scrapy.pacing.pacing import Stopping
from tmdb_scrapy.pipelines.part_writer import PartWriterPipeline
from tmdb_scrapy.queue import State
from tmdb_scrapy.queue.connection import explain
from tmdb_scrapy.queue.feed import Claim, QueueInconsistent
from tmdb_scrapy.records.record import AppendedAbsent, BrokenRecord, Record, RecordReader
from tmdb_scrapy.spiders.completeness import Completeness
from tmdb_scrapy.spiders.retries import HOPELESS, Retries
from tmdb_scrapy.spiders.urls import RecordUrls, id_in
from tmdb_scrapy.worker import Worker


class TmdbSpider(RedisSpider):  # type: ignore[misc]
    """Fetches every ID of one kind from the shared queue. Subclasses say which `kind`."""

    kind: ClassVar[Kind]

    worker: Worker

    @classmethod
    def update_settings(cls, settings: BaseSettings) -> None:
        """Put the user's configuration over Scrapy's settings. Raises `ConfigError`."""
        super().update_settings(settings)
        config = Config.from_settings(settings)
        settings.set("TMDB_CONFIG", config, priority="spider")
        settings.set("CONCURRENT_REQUESTS", config.concurrency_per_worker, priority="spider")
        settings.set("CONCURRENT_REQUESTS_PER_DOMAIN", config.concurrency_per_worker, priority="spider")
        if settings.getbool("TELNETCONSOLE_ENABLED") and not settings["TELNETCONSOLE_PASSWORD"]:
            try:
                settings.set("TELNETCONSOLE_PASSWORD", console_password(config.data_dir), priority="spider")
            except OSError:  # no console rather than one whose password Scrapy would write into the log
                settings.set("TELNETCONSOLE_ENABLED", False, priority="spider")

    def setup_redis(self, crawler: Crawler | None = None) -> None:
        """Connect as scrapy-redis does, but lease from the queue instead of popping on idle."""
        crawler = crawler or self.crawler
        self.worker = Worker.of(self.kind, crawler, lambda: is_idle(crawler), self._close)
        config = self.worker.config
        self.server = self.worker.client
        self.redis_key = self.worker.queue.keys.queue
        self.urls = RecordUrls(self.kind, config)
        self.reader = RecordReader(self.kind, config.appended(self.kind))
        self.completeness = Completeness(config.appended(self.kind))
        self.retries = Retries(crawler.settings.getint("RETRY_TIMES"), self.worker.pacing.breaker)

    async def start(self) -> AsyncIterator[Any]:
        """Requests for leased IDs, until every ID of the queue is settled by whomever."""
        if missing := self._missing_components():
            self.worker.stop("incomplete", "; ".join(missing))
            return
        while (claim := await self._next_claim()) is not None:
            yield self.request_for(claim)
            await self._room()

    async def _room(self) -> None:
        """Wait until the scheduler wants more: what is leased early, others cannot fetch."""
        scheduler = self.crawler.engine.scheduler
        # Not isinstance: for Scrapy's BaseScheduler, whatever has its methods is one of its subclasses.
        if type(scheduler) is DequeScheduler:
            await scheduler.room()
            return
        while scheduler.has_pending_requests():
            await self.crawler.signals.wait_for(signals.scheduler_empty)

    def _missing_components(self) -> list[str]:
        """What the settings leave out although IDs would be settled unwritten, or never, without it."""
        crawler = self.crawler
        present = {
            "EXTENSIONS": map(
                crawler.get_extension, (PacingExtension, HeartbeatExtension, SettlementExtension)
            ),
            "ITEM_PIPELINES": map(crawler.get_item_pipeline, (PartWriterPipeline,)),
        }
        return [
            f"{name} lacks what the project's own settings have there: -s {name}=… replaces them all, "
            "so name them beside yours"
            for name, components in present.items()
            if None in components
        ]

    async def _next_claim(self) -> Claim | None:
        try:
            return await self.worker.feed.next()
        except QueueInconsistent as error:
            self.worker.stop("queue_inconsistent", str(error))
        except RedisError as error:
            self.worker.stop("redis_failed", explain(error, self.worker.config))
        return None

    def request_for(self, claim: Claim) -> Request:
        """The request of an ID. The key is not in it: the download handler adds it on the wire."""
        # verbatim_url: it is composed of safe parts, and Scrapy need not parse and quote it again.
        return Request(
            self.urls.of(claim.id),
            callback=self.parse,
            errback=self.failed,
            meta={"claim": claim, "verbatim_url": True},
            dont_filter=True,
        )

    def parse(self, response: Response, **kwargs: Any) -> Any:
        """The item of a response; or its outcome, or another attempt."""
        claim: Claim | None = response.meta.get("claim")
        if claim is None:  # `scrapy parse URL`: nobody leased it
            return RecordReader(self.kind, ()).read(id_in(response.url), response.body)
        verdict = verdict_of(response)
        if verdict is Verdict.RECORD:
            return self._read(claim, response.body)
        if verdict is Verdict.MISSING:
            self.retries.came()
            self.worker.feed.finish(claim, State.MISSING)
        elif verdict in {Verdict.KEY_REFUSED, Verdict.REQUEST_REFUSED}:
            self.give_up(verdict, response)
        else:
            reason = f"http_{response.status}" if verdict is Verdict.UNAVAILABLE else "not_json"
            self.try_again(claim, reason, chargeable=response.meta.get("chargeable", True))
        return None

    def _read(self, claim: Claim, body: bytes) -> Record | None:
        """The item in a body; None when it has to be asked for again."""
        try:
            record = self.reader.read(claim.id, body)
        except AppendedAbsent as error:
            self.completeness.lacks(error.name)
            if self.completeness.never_came(error.name, last_chance=self.retries.is_last(claim)):
                self.worker.stop(
                    "appended_absent",
                    f"no record has {error.name}, which {self.kind.append_key} asks for: TMDb leaves a name "
                    "that it does not know out without a word. Correct it in .env and start again",
                )
            else:
                self.try_again(claim, f"without_{error.name}", f"{error}")
        except BrokenRecord as error:
            self.try_again(claim, "malformed", f"{error}")
        else:
            self.completeness.complete()
            self.retries.came()
            return record
        return None

    def failed(self, failure: Failure) -> None:
        """The errback: no answer came."""
        request: Request = failure.request  # type: ignore[attr-defined]  # Scrapy adds it
        claim: Claim = request.meta["claim"]
        if isinstance(failure.value, Stopping):
            return
        if isinstance(failure.value, GivenUp):
            self.worker.stop(failure.value.obstacle.reason, failure.value.obstacle.sentence)
            return
        if isinstance(failure.value, IgnoreRequest):
            self.worker.feed.finish(claim, State.DROPPED, "ignored")
            return
        if isinstance(failure.value, NotSupported):
            message = f"This worker cannot download: {failure.getErrorMessage()}"
            self.worker.stop(
                "cannot_download",
                f"{message.rstrip('.')}. See the error above in its log; "
                "`make setup` (on a fleet: `make init`) renews what it needs",
            )
            return
        reason = type(failure.value).__name__
        self.try_again(claim, reason, failure.getErrorMessage(), request.meta.get("chargeable", True))

    def try_again(self, claim: Claim, reason: str, detail: str = "", chargeable: bool = True) -> None:
        """Another attempt later, with exponential backoff and jitter; or `failed` when the ID had
        `RETRY_TIMES` of them in a time when the API answered others."""
        if self.crawler.stats:
            self.crawler.stats.inc_value(f"retry/{reason}")
        delay_s = self.retries.delay_s(claim, chargeable)
        if delay_s is not None:
            self.worker.feed.again(claim, delay_s)
            return
        self.worker.feed.finish(claim, State.FAILED, reason)
        self.logger.warning(
            "%s %d failed after %d attempts: %s %s; `scrapy retry %s` queues it again",
            self.kind.singular, claim.id, claim.attempts, reason, detail, self.kind.name,
        )  # fmt: skip
        if self.retries.given_up():
            self.worker.stop(
                "hopeless",
                f"{HOPELESS} {self.kind.name} in a row came to nothing, the last with {reason} {detail}: "
                f"TMDb answers, but may serve no {self.kind.name} just now. Later, run scrapy retry "
                f"{self.kind.name} and start again",
            )

    def give_up(self, verdict: Verdict, response: Response) -> None:
        """Stop the worker: what the API refuses now it will refuse for every ID. All stay queued."""
        if self.worker.close_message:
            return
        said = message_in(response.body) or f"HTTP {response.status}"
        if verdict is Verdict.KEY_REFUSED:
            message = f"TMDb refused TMDB_API_KEY: {said} Put a valid key into .env and start again"
            self.worker.stop("key_refused", message)
        else:
            message = f"TMDb refused the request: {said} Check {self.kind.append_key} and LANGUAGE"
            self.worker.stop("request_refused", message)

    def _close(self, reason: str) -> None:
        assert self.crawler.engine is not None  # it has asked this spider for its requests
        self._closing = asyncio.ensure_future(self.crawler.engine.close_spider_async(reason=reason))
