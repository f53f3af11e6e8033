"""A worker's leases: taken ahead of need, handed out one by one, settled in batches."""

from __future__ import annotations

import asyncio
import contextlib
import heapq
import itertools
import logging
import math
from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from tmdb_scrapy.queue.history import UNTOLD, Traffic
from tmdb_scrapy.queue.id_queue import IdQueue, Lease, Settlement
from tmdb_scrapy.queue.keys import HEARTBEAT_TTL_S
from tmdb_scrapy.queue.states import State
from tmdb_scrapy.queue.tasks import end
from tmdb_scrapy.queue.wait import WaitForRedis

logger = logging.getLogger(__name__)

AHEAD_S = 0.5
"""How much work to hold ready: ten round trips to a Redis 50 ms away, and little enough that at the end of
a crawl no worker sits on IDs that others could fetch."""
LONGEST_LEASE = 2_000
WAIT_FOR_OTHERS_S = 0.5
RECLAIM_INTERVAL_S = HEARTBEAT_TTL_S
RECLAIM_WAITING_S = 2.5
"""Between looks for leases of the dead when there is nothing else to do."""


class QueueInconsistent(Exception):
    """IDs count as queued but are neither in the stream nor leased: somebody meddled with the keys."""


@dataclass(slots=True, eq=False)
class Claim:
    """An ID on its way through this worker."""

    lease: Lease
    attempts: int = 0
    """Failed attempts that count against the ID."""
    generation: int = 0
    """The breaker's generation in which they were counted: an outage in between wipes them out."""
    settled: bool = False
    """An outcome has been recorded; a second one is ignored."""

    @property
    def id(self) -> int:
        return self.lease.id


class Feed:
    """Where the spider gets its next ID and where outcomes are kept until they are settled.

    `idle` tells whether the engine has nothing in hand; an ID that is held while it is idle was swallowed
    by some component and is settled as failed, so that it is never lost without a word.
    """

    def __init__(
        self,
        queue: IdQueue,
        worker: str,
        wait_for_redis: WaitForRedis,
        concurrency: int,
        idle: Callable[[], bool],
    ) -> None:
        self.queue = queue
        self.worker = worker
        self.waiting = False
        """Nothing to lease: others hold the rest, or the kind is paused."""
        self.paused = False
        """Nothing may be leased, by `scrapy pause`."""
        self.reclaim_after = 0.0
        """Loop time before which nobody's leases may be taken over (see the heartbeat)."""
        self.throughput_per_s = 0.0
        self._wait_for_redis = wait_for_redis
        self._concurrency = concurrency
        self._idle = idle
        self._ready: deque[Claim] = deque()
        self._delayed: list[tuple[float, int, Claim]] = []
        self._sequence = itertools.count()
        self._held: dict[bytes, Claim] = {}
        self._finished: list[Settlement] = []
        self._told = UNTOLD
        self._changed = asyncio.Event()
        self._filler: asyncio.Task[None] | None = None
        self._arrival: asyncio.Future[None] | None = None
        self._reclaim_at = 0.0
        self._ran_dry = False
        self._drained = False
        self._stopped = False
        self._suspicious = False

    @property
    def held(self) -> int:
        """Leases of this worker that are not settled."""
        return len(self._held)

    @property
    def finished(self) -> int:
        """Outcomes that wait to be settled."""
        return len(self._finished)

    async def next(self) -> Claim | None:
        """The next ID to fetch; None when every ID of the queue is settled, by whomever.

        Raises what the queue raises when waiting would not mend it.
        """
        loop = asyncio.get_running_loop()
        if self._filler is None:
            self._filler = loop.create_task(self._fill())
        while True:
            due_s = self._release_due(loop.time())
            if self._ready:
                if len(self._ready) <= self._wanted() // 2:
                    self._changed.set()
                return self._ready.popleft()
            if self._filler.done():
                self._filler.result()
                if self._drained:
                    return None
            self._ran_dry = bool(self._held)
            self._changed.set()
            arrival = loop.create_future()
            self._arrival = arrival
            handle = loop.call_later(due_s, _wake, arrival) if due_s is not None else None
            try:
                await arrival
            finally:
                if handle:
                    handle.cancel()

    def again(self, claim: Claim, delay_s: float) -> None:
        """Fetch this ID again, `delay_s` seconds from now at the earliest."""
        due = asyncio.get_running_loop().time() + delay_s
        heapq.heappush(self._delayed, (due, next(self._sequence), claim))
        self._wake()

    def finish(self, claim: Claim, state: State, reason: str = "") -> bool:
        """Record how an ID ended; it is settled with the next batch. False when it had ended already."""
        if claim.settled:
            return False
        claim.settled = True
        self._finished.append(Settlement(claim.lease, state, reason))
        return True

    def take_finished(self) -> list[Settlement]:
        """The outcomes that wait to be settled; give them to `settle` once their lines are on disk."""
        finished, self._finished = self._finished, []
        return finished

    async def settle(self, settlements: list[Settlement], traffic: Traffic, elapsed_s: float) -> None:
        """Settle outcomes and tell of this worker's traffic, waiting for Redis if it is away. `elapsed_s`:
        since the last batch."""
        if settlements or traffic != self._told:
            await self._wait_for_redis(lambda: self.queue.settle(settlements, traffic))
            self._told = traffic
            for settlement in settlements:
                self._held.pop(settlement.lease.entry, None)
        rate_per_s = len(settlements) / max(elapsed_s, 1e-3)
        self.throughput_per_s += 0.3 * (rate_per_s - self.throughput_per_s)
        if settlements:
            self._changed.set()

    def stop(self) -> None:
        """Lease nothing any more."""
        self._stopped = True
        if self._filler is not None:
            self._filler.cancel()

    async def end(self) -> None:
        """Stop, and wait until no lease can come any more."""
        self.stop()
        if self._filler is not None:
            await end(self._filler)

    def _wanted(self) -> int:
        return min(self._concurrency * 2 + math.ceil(self.throughput_per_s * AHEAD_S), LONGEST_LEASE)

    def _release_due(self, now: float) -> float | None:
        """Move retries that are due to the front; returns the seconds until the next one is."""
        while self._delayed and self._delayed[0][0] <= now:
            self._ready.appendleft(heapq.heappop(self._delayed)[2])
        return self._delayed[0][0] - now if self._delayed else None

    def _wake(self) -> None:
        if self._arrival is not None:
            _wake(self._arrival)

    async def _fill(self) -> None:
        try:
            await self._keep_filled()
        finally:
            self._wake()

    async def _keep_filled(self) -> None:
        while not self._stopped:
            wanted = self._wanted() - len(self._ready)
            leases = await self._reclaim(wanted) or await self._lease(wanted)
            if self._ran_dry and len(leases) == wanted:
                # Redis is further away than the estimate allows for; the next batches correct it downwards.
                self.throughput_per_s = max(2 * self.throughput_per_s, self._concurrency / AHEAD_S)
            self._ran_dry = False
            self.waiting = not leases and not self._ready
            self._adopt(leases)
            if leases:
                await self._need()
            elif await self._is_drained():
                self._drained = True
                return
            else:
                self._reclaim_at = min(
                    self._reclaim_at, asyncio.get_running_loop().time() + RECLAIM_WAITING_S
                )
                await self._need(WAIT_FOR_OTHERS_S)

    async def _lease(self, wanted: int) -> list[Lease]:
        leases = await self._wait_for_redis(lambda: self.queue.lease(self.worker, wanted))
        paused = leases is None
        if paused and not self.paused:
            logger.info("Paused: nothing is leased until `scrapy resume %s`", self.queue.kind.name)
        elif self.paused and not paused:
            logger.info("Resumed")
        self.paused = paused
        return leases or []

    async def _reclaim(self, wanted: int) -> list[Lease]:
        """Leases of workers that are gone, looked for now and then; they come before new ones."""
        now = asyncio.get_running_loop().time()
        if now < max(self._reclaim_at, self.reclaim_after):
            return []
        leases = await self._wait_for_redis(lambda: self.queue.reclaim(self.worker, wanted))
        if leases:
            logger.info("Took over %d leases of workers that are gone", len(leases))
        else:
            self._reclaim_at = now + RECLAIM_INTERVAL_S
        return leases

    async def _need(self, at_least_s: float = 0.0) -> None:
        """Wait until more leases are wanted; with `at_least_s`, until something changed or so many seconds
        have passed."""
        if at_least_s:
            self._changed.clear()
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(at_least_s):
                    await self._changed.wait()
        while len(self._ready) > self._wanted() // 2:
            self._changed.clear()
            await self._changed.wait()

    def _adopt(self, leases: Iterable[Lease]) -> int:
        new = [Claim(lease) for lease in leases if lease.entry not in self._held]
        self._held.update((claim.lease.entry, claim) for claim in new)
        self._ready.extend(new)
        if new:
            self._wake()
        return len(new)

    async def _is_drained(self) -> bool:
        """Whether all is settled. Also looks for leases that this worker does not know it has: an answer
        was lost, or Redis came back without its last second."""
        if self._held:
            self._settle_swallowed()
            return False
        unknown = await self._wait_for_redis(lambda: self.queue.leases_of(self.worker))
        if self._adopt(unknown):
            return False
        if await self._wait_for_redis(self.queue.queued) == 0:
            return True
        if (
            await self._wait_for_redis(self.queue.length) == 0
            and await self._wait_for_redis(self.queue.queued) > 0
        ):
            raise QueueInconsistent(
                f"{self.queue.kind.name}: IDs count as queued but {self.queue.keys.queue} is empty; "
                f"run `scrapy audit {self.queue.kind.name}`"
            )
        return False

    def _settle_swallowed(self) -> None:
        busy = self._ready or self._delayed or self._finished or not self._idle()
        if busy or not self._suspicious:
            self._suspicious = not busy
            return
        for claim in list(self._held.values()):
            if self.finish(claim, State.FAILED, "swallowed"):
                logger.error("ID %d was swallowed by a middleware or pipeline: settled as failed", claim.id)


def _wake(arrival: asyncio.Future[None]) -> None:
    if not arrival.done():
        arrival.set_result(None)
