"""A worker says every two seconds that it lives and how it does, and listens to the others."""

from __future__ import annotations

import asyncio
import logging
import os
import resource
import socket
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Self

from redis.exceptions import RedisError
from scrapy import signals
from scrapy.crawler import Crawler
from scrapy.exceptions import CloseSpider, NotConfigured

from tmdb_scrapy.kinds import KINDS
from tmdb_scrapy.pacing.extension import PacingExtension
from tmdb_scrapy.pacing.pacing import Pacing
from tmdb_scrapy.queue import Heartbeat, IdQueue
from tmdb_scrapy.queue.connection import explain
from tmdb_scrapy.queue.keys import HEARTBEAT_INTERVAL_S, HEARTBEAT_TTL_S
from tmdb_scrapy.queue.tasks import end

logger = logging.getLogger(__name__)


class HeartbeatExtension:
    """Keeps this worker's leases its own, and shares rates with the workers that it sees."""

    def __init__(self, crawler: Crawler) -> None:
        self._crawler = crawler
        self._host = socket.gethostname()
        self._started_at = time.time()
        self._beats: asyncio.Task[None] | None = None
        self._seen_at = 0.0
        self._answers = 0
        self._last_error = ""
        self._ending = False
        self._queues: list[IdQueue] = []
        crawler.signals.connect(self.opened, signals.spider_opened)

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> Self:
        """Raises `NotConfigured` for a spider that leases nothing, as that of `scrapy shell`."""
        if crawler.settings["TMDB_CONFIG"] is None:
            raise NotConfigured
        return cls(crawler)

    @property
    def _spider(self) -> Any:
        return self._crawler.spider

    @property
    def _pacing(self) -> Pacing:
        return PacingExtension.pacing_of(self._crawler)

    async def opened(self) -> None:
        """The first beat comes before the first lease: a lease without a heartbeat is anybody's."""
        spider = self._spider
        self._queues = [IdQueue(spider.server, kind) for kind in KINDS.values()]
        self._seen_at = asyncio.get_running_loop().time()
        try:
            await spider.queue.open()
            await self._beat()
        except (RedisError, OSError) as error:
            spider.close_message = explain(error, spider.config)
            logger.error("%s", spider.close_message)
            raise CloseSpider("no_redis") from None
        if self._takes_from_others(await self._peers()):
            # The others learn of this worker with their next beat; until then they use its share.
            await asyncio.sleep(HEARTBEAT_INTERVAL_S * 1.5)
            await self._beat()
        self._beats = asyncio.ensure_future(self._beat_regularly())

    def _takes_from_others(self, peers: Sequence[Heartbeat]) -> bool:
        """Whether others have to slow down before this worker may begin."""
        config = self._spider.config
        if config.fleet_rate_limit and len(peers) > 1:
            return True
        return bool(config.rate_limit) and len(self._neighbours(peers)) > config.processes

    def _neighbours(self, peers: Sequence[Heartbeat]) -> list[Heartbeat]:
        """The workers of this machine, this one included."""
        return [peer for peer in peers if peer.host == self._host]

    async def _beat_regularly(self) -> None:
        loop = asyncio.get_running_loop()
        while not self._ending:
            await asyncio.sleep(HEARTBEAT_INTERVAL_S)
            try:
                await self._beat()
            except (RedisError, OSError) as error:
                self._last_error = explain(error, self._spider.config)
            except Exception:
                # Without a heartbeat the leases are anybody's: whatever went wrong, go on beating.
                logger.exception("A heartbeat went wrong")
            else:
                self._last_error = ""
            away_s = loop.time() - self._seen_at
            if away_s > HEARTBEAT_TTL_S and self._spider.config.fleet_rate_limit:
                self._pacing.governor.pause()

    async def _beat(self) -> None:
        loop = asyncio.get_running_loop()
        away_s = loop.time() - self._seen_at
        await self._spider.queue.beat(self._heartbeat())
        if away_s > HEARTBEAT_TTL_S:
            # Everybody's heartbeat may have expired with ours: let them all be back before taking leases.
            self._spider.feed.reclaim_after = loop.time() + HEARTBEAT_TTL_S
        self._share(await self._peers())
        self._seen_at = loop.time()

    async def _peers(self) -> list[Heartbeat]:
        """The live workers of both kinds, this one included: they share the key and the machine."""
        return [worker for queue in self._queues for worker in (await queue.workers())[0]]

    def _share(self, peers: Sequence[Heartbeat]) -> None:
        """Take this worker's part of what the machine and the fleet may use."""
        config, governor = self._spider.config, self._pacing.governor
        here = self._neighbours(peers)
        pace = governor.pace
        # Those that PROCESSES announces may not have started yet: room for them from the first request on.
        pace.sharers = max(len(here), config.processes)
        caps = [
            limit_per_s / sharers
            for limit_per_s, sharers in (
                (config.rate_limit, pace.sharers),
                (config.fleet_rate_limit, max(len(peers), 1)),
                (self._pacing.delay_limit_per_s, 1),
            )
            if limit_per_s
        ]
        pace.cap_per_s = min(caps, default=0.0)
        pressed = [peer.allowed_per_s for peer in here if peer.in_use]
        if len(pressed) > 1 and not config.rate_limit:
            pace.nudge(sum(pressed) / len(pressed))
        governor.resume()

    def _heartbeat(self) -> Heartbeat:
        spider, pacing = self._spider, self._pacing
        loop_time = asyncio.get_running_loop().time()
        elapsed_s = max(loop_time - self._seen_at, 0.1)
        answered, self._answers = pacing.answers - self._answers, pacing.answers
        stats = self._crawler.stats
        prefix = "settled/"
        settled = stats.get_stats() if stats else {}
        return Heartbeat(
            name=spider.worker,
            host=self._host,
            pid=os.getpid(),
            state=self._state(),
            rate_per_s=round(answered / elapsed_s, 2),
            allowed_per_s=round(pacing.governor.pace.rate_per_s, 2),
            in_use=pacing.governor.pace.in_use,
            in_flight=pacing.in_flight,
            leased=spider.feed.held,
            outcomes={k.removeprefix(prefix): v for k, v in settled.items() if k.startswith(prefix)},
            throttled=pacing.throttled,
            memory_bytes=_resident_bytes(),
            last_error=spider.close_message
            or pacing.trouble
            or self._last_error
            or spider.patience.last_error,
            started_at=self._started_at,
            seen_at=time.time(),
        )

    def _state(self) -> str:
        if self._spider.close_message:
            return "stopping"
        if self._pacing.breaker.is_open:
            return "paused"
        return "waiting" if self._spider.feed.waiting else "crawling"

    async def end(self) -> None:
        """Stop beating and hand all leases back. Called once everything that can be is settled."""
        self._ending = True
        if self._beats:
            await end(self._beats)
        try:
            await self._spider.queue.hand_back(self._spider.worker)
        except (RedisError, OSError) as error:
            logger.warning(
                "%s. Leases free themselves in %.0f s", explain(error, self._spider.config), HEARTBEAT_TTL_S
            )


def _resident_bytes() -> int:
    try:
        pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1])
    except OSError:
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    return pages * resource.getpagesize()
