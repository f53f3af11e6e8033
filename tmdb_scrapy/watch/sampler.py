"""One reader of Redis for all who watch: what there is now, what was, and since when Redis is away."""

from __future__ import annotations

import asyncio
import datetime
import logging
import time
from array import array
from collections.abc import Awaitable, Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import TypeVar

import redis.asyncio
from redis.exceptions import RedisError

from tmdb_scrapy.config import Config
from tmdb_scrapy.kinds import KINDS
from tmdb_scrapy.queue import Heartbeat, IdQueue, OtherRelease, Snapshot, connect, snapshots
from tmdb_scrapy.queue.age import oldest_day
from tmdb_scrapy.queue.connection import explain
from tmdb_scrapy.queue.history import KEPT_DAYS, MINUTES_A_DAY, Written, minute_of
from tmdb_scrapy.queue.snapshot import RECENT_MINUTES

Result = TypeVar("Result")
logger = logging.getLogger(__name__)

INTERVAL_S = 2.0
OLDEST_INTERVAL_S = 120.0
"""Between looks for the oldest record, which read the whole ledger, and for the schedule of updates."""
REMEMBERED = 150
"""Points of a worker's rate, one a sample: five minutes."""
MOST_GONE = 100


@dataclass(frozen=True, slots=True)
class Gone:
    """A worker whose heartbeat ended while it was watched."""

    last: Heartbeat
    since: float
    """Seconds since the epoch."""


@dataclass(frozen=True, slots=True)
class Sample:
    """What there is to show."""

    at: float = 0.0
    """When Redis was last read, in seconds since the epoch; 0 for never."""
    kinds: dict[str, Snapshot] = field(default_factory=dict)
    """Every kind, seeded or not, by name; as of `at` when Redis is away."""
    oldest: dict[str, float] = field(default_factory=dict)
    """When the oldest record was fetched, by kind: the start of that day, in seconds since the epoch."""
    scheduled: Mapping[str, str] = field(default_factory=dict)
    """When the next update of a kind runs, for people; only of kinds that are scheduled on this machine."""
    trouble: str = ""
    """Why Redis cannot be read at present; empty when it can."""

    def shown(self) -> Iterator[tuple[str, Snapshot]]:
        """The kinds of which there is something to show: seeded, crawled or paused."""
        return (
            (name, each)
            for name, each in self.kinds.items()
            if each.total or each.workers or each.paused_since
        )


class Sampler:
    """Reads every `INTERVAL_S` seconds, however many look on; `sample` is the latest."""

    def __init__(self, config: Config, scheduled: Callable[[], Mapping[str, str]] = dict) -> None:
        """`scheduled` tells what `Sample.scheduled` holds; it may take seconds."""
        self.sample = Sample()
        self.minutes = {name: Written() for name in KINDS}
        """The history of the last days, by kind (see `tmdb_scrapy.queue.history`)."""
        self.rates: dict[str, array[float]] = {}
        """Answers a second of each live worker, the last `REMEMBERED` samples of it."""
        self.gone: dict[str, dict[str, Gone]] = {name: {} for name in KINDS}
        """Workers that ended while this ran, by kind and name, the latest last."""
        self._config = config
        self._scheduled = scheduled
        self._client: redis.asyncio.Redis = connect(config)
        self._news = asyncio.Condition()
        self._read_until = 0
        """The minute until which the history has been read."""
        self._oldest_at = -OLDEST_INTERVAL_S

    async def run(self) -> None:
        """Go on reading until cancelled."""
        try:
            while True:
                await self.look()
                await asyncio.sleep(INTERVAL_S)
        finally:
            await self._client.aclose()

    async def look(self) -> None:
        """Take one sample. What goes wrong stands in it."""
        try:
            await self._read()
        except (RedisError, OSError, ValueError) as error:
            # ValueError: keys that somebody else wrote.
            self.sample = replace(self.sample, trouble=explain(error, self._config))
        except OtherRelease as error:
            self.sample = replace(self.sample, trouble=str(error))
        except Exception as error:
            # Whatever went wrong, go on looking, and let those who look on know.
            logger.exception("A sample went wrong")
            self.sample = replace(self.sample, trouble=f"what is in Redis cannot be read: {error!r}")
        async with self._news:
            self._news.notify_all()

    async def newer(self, than: Sample) -> Sample:
        """The next sample that is not `than`."""
        async with self._news:
            await self._news.wait_for(lambda: self.sample is not than)
        return self.sample

    async def ask(self, kind: str, question: Callable[[IdQueue], Awaitable[Result]]) -> Result:
        """What `question` says of the queue of a kind. Raises `OtherRelease` and what redis-py raises."""
        queue = IdQueue(self._client, KINDS[kind])
        await queue.check_release()
        return await question(queue)

    async def _read(self) -> None:
        now = time.time()
        kinds = await snapshots(self._client, KINDS.values())
        await self._catch_up(kinds, minute_of(now))
        oldest, scheduled = self.sample.oldest, self.sample.scheduled
        if time.monotonic() - self._oldest_at >= OLDEST_INTERVAL_S:
            oldest = await self._oldest(kinds)
            scheduled = await asyncio.to_thread(self._scheduled)
            self._oldest_at = time.monotonic()
        self._remember(kinds, now)
        self.sample = Sample(now, kinds, oldest, scheduled)

    async def _catch_up(self, kinds: dict[str, Snapshot], minute: int) -> None:
        """Add the last minutes to the history; read all of it after a start, an absence, and when the clock
        was set back: by the clock before, the oldest were let go of."""
        first = minute - KEPT_DAYS * MINUTES_A_DAY
        if not 0 <= minute - self._read_until < RECENT_MINUTES:
            for name in KINDS:
                self.minutes[name] = Written()
                self.minutes[name].add(await IdQueue(self._client, KINDS[name]).history(first, minute), first)
        for name, snapshot in kinds.items():
            self.minutes[name].add(snapshot.recent, first)
        self._read_until = minute

    async def _oldest(self, kinds: dict[str, Snapshot]) -> dict[str, float]:
        found = {}
        for name in (name for name, snapshot in kinds.items() if snapshot.total):
            day = await oldest_day(IdQueue(self._client, KINDS[name]))
            if day:
                found[name] = datetime.datetime.combine(day, datetime.time(), datetime.UTC).timestamp()
        return found

    def _remember(self, kinds: dict[str, Snapshot], now: float) -> None:
        """Note the rates of the workers that live, and who has ended since the last sample."""
        alive = {worker.name: worker for snapshot in kinds.values() for worker in snapshot.workers}
        for worker in alive.values():
            points = self.rates.setdefault(worker.name, array("d"))
            points.append(worker.rate_per_s)
            del points[:-REMEMBERED]
        for name, before in self.sample.kinds.items():
            gone = self.gone[name]
            gone.update((w.name, Gone(w, now)) for w in before.workers if w.name not in alive)
            for worker_name in [each for each in gone if each in alive]:
                del gone[worker_name]
            while len(gone) > MOST_GONE:
                del gone[next(iter(gone))]
        for worker_name in self.rates.keys() - alive.keys():
            del self.rates[worker_name]
