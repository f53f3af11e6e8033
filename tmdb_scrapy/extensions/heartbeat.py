"""A worker says every two seconds that it lives and how it does, and listens to the others."""

from __future__ import annotations

import asyncio
import logging
import math
import os
import resource
import socket
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Self

from redis.exceptions import RedisError
from scrapy import signals
from scrapy.crawler import Crawler
from scrapy.exceptions import CloseSpider

from tmdb_scrapy.kinds import KINDS
from tmdb_scrapy.pacing.shares import divide, need_per_s
from tmdb_scrapy.queue import Heartbeat, IdQueue, OtherRelease
from tmdb_scrapy.queue.connection import explain
from tmdb_scrapy.queue.fitness import UnfitRedis, examine
from tmdb_scrapy.queue.keys import HEARTBEAT_INTERVAL_S, HEARTBEAT_TTL_S
from tmdb_scrapy.queue.needs import fleet_needs, rounded
from tmdb_scrapy.queue.neighbours import neighbours
from tmdb_scrapy.queue.recorded_settings import OtherSettings, present
from tmdb_scrapy.queue.tasks import end
from tmdb_scrapy.worker import Worker, machine, worker_of

logger = logging.getLogger(__name__)

CRAWLING = "crawling"


class HeartbeatExtension:
    """Keeps this worker's leases its own, and shares rates with the workers that it sees."""

    def __init__(self, crawler: Crawler, worker: Worker) -> None:
        self._crawler = crawler
        self._worker = worker
        self._machine = machine()
        self._started_at = time.time()
        self._beats: asyncio.Task[None] | None = None
        self._seen_at = 0.0
        self._answers = 0
        self._cap_before_per_s: float | None = None
        self._last_error = ""
        self._ending = False
        self._queues: list[IdQueue] = []
        crawler.signals.connect(self.opened, signals.spider_opened)

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> Self:
        """Raises `NotConfigured` for a spider that leases nothing, as that of `scrapy shell`."""
        return cls(crawler, worker_of(crawler))

    async def opened(self) -> None:
        """The first beat comes before the first lease: a lease without a heartbeat is anybody's."""
        worker = self._worker
        self._queues = [IdQueue(worker.client, kind) for kind in KINDS.values()]
        self._seen_at = asyncio.get_running_loop().time()
        try:
            for remark in await examine(worker.client):
                logger.warning("%s", remark)
            await worker.queue.open()
            await worker.queue.settle_under(present(worker.config, worker.kind))
            takes_from_others = self._takes_from_others(*await self._beat())
        except (OtherRelease, OtherSettings, UnfitRedis) as error:
            worker.close_message = str(error)
            logger.error("%s", error)
            raise CloseSpider("refused") from None
        except (RedisError, OSError) as error:
            worker.close_message = explain(error, worker.config)
            logger.error("%s", worker.close_message)
            raise CloseSpider("no_redis") from None
        if takes_from_others:
            # The others learn of this worker with their next beat; until then they use its share.
            await asyncio.sleep(HEARTBEAT_INTERVAL_S * 1.5)
            await self._beat()
        self._beats = asyncio.ensure_future(self._beat_regularly())

    def _takes_from_others(self, here: Sequence[Heartbeat], fleet: Mapping[float, int]) -> bool:
        """Whether others have to slow down before this worker may begin."""
        config = self._worker.config
        if config.fleet_rate_limit and sum(fleet.values()) > 1:
            return True
        return bool(config.rate_limit) and len(here) > config.processes

    async def _beat_regularly(self) -> None:
        loop = asyncio.get_running_loop()
        while not self._ending:
            await asyncio.sleep(HEARTBEAT_INTERVAL_S)
            try:
                await self._beat()
            except (RedisError, OSError) as error:
                self._last_error = explain(error, self._worker.config)
            except Exception:
                # Without a heartbeat the leases are anybody's: whatever went wrong, go on beating.
                logger.exception("A heartbeat went wrong")
            else:
                self._last_error = ""
            away_s = loop.time() - self._seen_at
            if away_s > HEARTBEAT_TTL_S and self._worker.config.fleet_rate_limit:
                self._worker.pacing.governor.pause()

    async def _beat(self) -> tuple[list[Heartbeat], Mapping[float, int]]:
        """Returns what it saw: the live workers of this machine, and how many of the fleet need how much
        (nothing where the fleet has no limit). Both are of all kinds, this worker included."""
        loop, worker = asyncio.get_running_loop(), self._worker
        away_s = loop.time() - self._seen_at
        own = self._heartbeat()
        await worker.queue.heartbeats.beat(own)
        if away_s > HEARTBEAT_TTL_S:
            # Everybody's heartbeat may have expired with ours: let them all be back before taking leases.
            worker.feed.reclaim_after = loop.time() + HEARTBEAT_TTL_S
        here, fleet = await neighbours(self._queues, self._machine), Counter[float]()
        if worker.config.fleet_rate_limit:
            fleet = await fleet_needs(self._queues, worker.kind.name, own.name, _need_per_s(own))
        self._share(own, here, fleet)
        self._seen_at = loop.time()
        return here, fleet

    def _share(self, own: Heartbeat, here: Sequence[Heartbeat], fleet: Mapping[float, int]) -> None:
        """Take this worker's part of what the machine and the fleet may use, by what each needs."""
        config, governor = self._worker.config, self._worker.pacing.governor
        pace = governor.pace
        # Those that PROCESSES announces may not have started yet: room for them from the first request on.
        pace.sharers = max(len(here), config.processes)
        # Its own need, too, is what the others have been told: all divide alike.
        need = _need_per_s(own)
        on_machine = Counter([need, *(_need_per_s(peer) for peer in here if peer.name != own.name)])
        on_machine += Counter({math.inf: pace.sharers - on_machine.total()})  # drops what is not positive
        caps = [
            limit_per_s
            for limit_per_s in (
                _part_of(config.rate_limit, on_machine, need),
                _part_of(config.fleet_rate_limit, fleet, rounded(need)),
                self._worker.pacing.delay_limit_per_s,
            )
            if limit_per_s
        ]
        cap_per_s = min(caps, default=0.0)
        # More only from the beat after: until then those who have to give it up may not know.
        pace.cap_per_s = (
            cap_per_s if self._cap_before_per_s is None else min(cap_per_s, self._cap_before_per_s)
        )
        self._cap_before_per_s = cap_per_s
        pressed = [peer.allowed_per_s for peer in here if peer.in_use]
        if len(pressed) > 1 and not config.rate_limit:
            pace.nudge(sum(pressed) / len(pressed))
        governor.resume()

    def _heartbeat(self) -> Heartbeat:
        worker, pacing = self._worker, self._worker.pacing
        loop_time = asyncio.get_running_loop().time()
        elapsed_s = max(loop_time - self._seen_at, 0.1)
        answered, self._answers = pacing.answers - self._answers, pacing.answers
        stats = self._crawler.stats
        prefix = "settled/"
        settled = stats.get_stats() if stats else {}
        return Heartbeat(
            name=worker.name,
            host=socket.gethostname(),
            machine=self._machine,
            pid=os.getpid(),
            state=self._state(),
            rate_per_s=round(answered / elapsed_s, 2),
            allowed_per_s=round(pacing.governor.pace.rate_per_s, 2),
            in_use=pacing.governor.pace.in_use,
            in_flight=pacing.in_flight,
            leased=worker.feed.held,
            outcomes={k.removeprefix(prefix): v for k, v in settled.items() if k.startswith(prefix)},
            answers=pacing.answers,
            durations=pacing.durations.counts,
            duration_total_s=round(pacing.durations.total_s, 3),
            throttled=pacing.throttled,
            silent_until=round(pacing.silent_until, 3),
            memory_bytes=_resident_bytes(),
            last_error=worker.close_message
            or pacing.trouble
            or self._last_error
            or worker.wait_for_redis.last_error,
            started_at=self._started_at,
            seen_at=time.time(),
        )

    def _state(self) -> str:
        if self._worker.close_message:
            return "stopping"
        if self._worker.pacing.breaker.is_open:
            return "probing"
        if self._worker.feed.paused:
            return "paused"
        return "waiting" if self._worker.feed.waiting else CRAWLING

    async def end(self) -> None:
        """Stop beating and hand all leases back. Called once everything that can be is settled."""
        self._ending = True
        if self._beats:
            await end(self._beats)
        try:
            await self._worker.queue.heartbeats.end(self._worker.name)
        except (RedisError, OSError) as error:
            logger.warning(
                "%s. Leases free themselves in %.0f s", explain(error, self._worker.config), HEARTBEAT_TTL_S
            )


def _need_per_s(heartbeat: Heartbeat) -> float:
    return need_per_s(
        crawling=heartbeat.state == CRAWLING, in_use=heartbeat.in_use, used_per_s=heartbeat.rate_per_s
    )


def _part_of(limit_per_s: float, workers: Mapping[float, int], need_per_s: float) -> float:
    """The part of one with that need, of a limit that these workers share; 0 for no limit."""
    return divide(limit_per_s, workers)[need_per_s] if limit_per_s else 0.0


def _resident_bytes() -> int:
    try:
        pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1])
    except OSError:
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    return pages * resource.getpagesize()
