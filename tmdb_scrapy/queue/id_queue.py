"""The queue of IDs of one kind: seed, lease, settle, reclaim, progress."""

from __future__ import annotations

import datetime
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from importlib import resources
from typing import Any, NamedTuple

import redis.asyncio
from redis.commands.core import AsyncScript
from redis.exceptions import ResponseError

from tmdb_scrapy.kinds import Kind
from tmdb_scrapy.queue import recorded_settings
from tmdb_scrapy.queue.heartbeats import Heartbeats
from tmdb_scrapy.queue.history import (
    EXPIRY_S,
    MINUTES_A_DAY,
    UNTOLD,
    History,
    Traffic,
    day_of,
    days_of,
    minute_of,
    of_day,
)
from tmdb_scrapy.queue.keys import GROUP, SCHEMA, Keys
from tmdb_scrapy.queue.recorded_settings import OtherSettings
from tmdb_scrapy.queue.release import OtherRelease, refuse_later
from tmdb_scrapy.queue.snapshot import Snapshot, counted, snapshots
from tmdb_scrapy.queue.states import DROPPED_FOR, OPEN, Ledger, Letters, State

FIRST_DAY = datetime.date(2020, 1, 1)
LONGEST_REASON = 200
"""Characters of why an ID failed that are kept."""
IDS_A_CALL = 5_000
"""Longest list of IDs in one script call: Redis answers nobody else meanwhile (some 20 ms)."""


def unreported(count: int) -> None:
    """Nobody wants to know the progress."""


class Lease(NamedTuple):
    """A worker's claim on an ID: the stream entry that carries it, and the TMDb ID."""

    entry: bytes
    id: int


class Settlement(NamedTuple):
    """How a leased ID ended. `reason` says why it was dropped or failed; empty otherwise."""

    lease: Lease
    state: State
    reason: str = ""


class Picture(NamedTuple):
    """What an audit compares, as it was at one moment."""

    ledger: Ledger
    counts: dict[str, int]
    """By label of the state, and `dropped/REASON`."""
    length: int
    """Entries of the stream."""
    settings: dict[str, str]
    """Those under which outcomes were reached."""


class IdQueue:
    """The IDs of one kind in Redis.

    Every method is a round trip or two and raises what redis-py raises (see
    `tmdb_scrapy.queue.connection.is_passing`); each may be repeated after a lost answer. Keys and layout:
    `tmdb_scrapy.queue.keys`.
    """

    def __init__(self, client: redis.asyncio.Redis, kind: Kind) -> None:
        self.keys = Keys(kind.name)
        self.kind = kind
        # redis-py says bytes or str of every answer; `connect` makes it bytes.
        self._redis: Any = client
        self.heartbeats = Heartbeats(client, self.keys)
        self._enqueue = self.script("enqueue")
        self._lease = self.script("lease")
        self._settle = self.script("settle")
        self._reclaim = self.script("reclaim")
        self._migrate = self.script("migrate")
        self.count_needs = self.script("needs")
        self._letters = Letters(kind)
        self._settings = b""

    def script(self, name: str) -> AsyncScript:
        """One of `tmdb_scrapy/queue/scripts`."""
        source = resources.files("tmdb_scrapy.queue") / "scripts" / f"{name}.lua"
        script: AsyncScript = self._redis.register_script(source.read_text(encoding="utf-8"))
        return script

    @property
    def client(self) -> Any:
        """For what this package asks Redis elsewhere."""
        return self._redis

    async def open(self) -> None:
        """Make the stream and its group if they are not there. Raises `OtherRelease`."""
        await self.check_release(create=True)
        try:
            await self._redis.xgroup_create(self.keys.queue, GROUP, id="0", mkstream=True)
        except ResponseError as error:
            if not str(error).startswith("BUSYGROUP"):
                raise

    async def check_release(self, create: bool = False) -> None:
        """Bring keys of an earlier release to this one's layout. Writes nothing where there is nothing yet,
        unless `create`.

        Raises `OtherRelease` for keys of a later release, and while workers of an earlier one run.
        """
        if not await self._redis.hexists(self.keys.about, "schema"):
            still = f"workers of an earlier release still fetch {self.kind.name}"
            await self.heartbeats.refuse_any(OtherRelease, still)
        keys = [self.keys.counts, self.keys.about]
        refuse_later(self.kind.name, int(await self._migrate(keys, [SCHEMA, "yes" if create else "no"])))

    async def settings(self) -> dict[str, str]:
        """Those under which outcomes were reached; none where none was."""
        return recorded_settings.read(await self._redis.hget(self.keys.about, recorded_settings.FIELD))

    async def settle_under(self, settings: Mapping[str, str]) -> None:
        """From here on outcomes are reached under these settings, which are recorded with the first of them.

        Raises `OtherSettings` when others are recorded.
        """
        recorded = await self.settings()
        if told := recorded_settings.differences(recorded, settings, self.kind):
            way_out = recorded_settings.way_out(recorded, settings, self.kind)
            raise OtherSettings(
                f"the outcomes of {self.kind.name} were reached under other settings: {told}. Set that back, "
                f"or run: {way_out}"
            )
        self._settings = recorded_settings.written(recorded or settings)

    async def adopt(self, settings: Mapping[str, str]) -> None:
        """Record these settings in place of those that were: what was reached under the others is asked for
        again. Raises `OtherSettings` while workers live, who still go by the others."""
        still = f"workers still fetch {self.kind.name} under the settings that were"
        await self.heartbeats.refuse_any(OtherSettings, still)
        if await self._redis.hexists(self.keys.about, recorded_settings.FIELD):
            written = recorded_settings.written(settings)
            await self._redis.hset(self.keys.about, recorded_settings.FIELD, written)

    async def seed(self, ids: Sequence[int], report: Callable[[int], object] = unreported) -> int:
        """Queue those of `ids` that were never seen, in that order; returns how many those were. `report`
        is called with how many were looked at since the last call."""
        await self.open()
        return await self._enqueue_from(ids, b"", [], report)

    async def requeue(self, ids: Sequence[int], leaving: State) -> int:
        """Queue again those of `ids` that are in the state `leaving`; returns how many those were."""
        if leaving is not State.DROPPED:
            entering = State.REFRESHING if leaving is State.STALE else State.QUEUED
            return await self._enqueue_from(ids, leaving.value, [leaving.label], unreported, entering)
        queued = 0
        for reason, byte in self._letters.reasons.items():
            labels = [leaving.label, f"{DROPPED_FOR}{reason}"]
            queued += await self._enqueue_from(ids, byte, labels, unreported)
        return queued

    async def _enqueue_from(
        self,
        ids: Sequence[int],
        leaving: bytes,
        labels: Sequence[str],
        report: Callable[[int], object],
        entering: State = State.QUEUED,
    ) -> int:
        keys = [self.keys.queue, self.keys.ledger, self.keys.counts, self.keys.failures]
        states: list[Any] = [leaving, entering.value, entering.label, ",".join(labels)]
        queued = 0
        # One call at a time: two on two connections may overtake each other, and the order is a promise.
        for start in range(0, len(ids), IDS_A_CALL):
            batch = ids[start : start + IDS_A_CALL]
            # One text, not 5,000 arguments: encoding those would take longer than queueing them.
            queued += await self._enqueue(keys, [*states, ",".join(map(str, batch))])
            report(len(batch))
        return queued

    async def lease(self, worker: str, wanted: int) -> list[Lease] | None:
        """Claim up to `wanted` of the next IDs for `worker`; an empty list when nobody has left any, None
        while the kind is paused."""
        keys = [self.keys.queue, self.keys.ledger, self.keys.control]
        answer = await self._lease(keys, [GROUP, worker, wanted])
        return None if answer is None else _leases(answer)

    async def reclaim(self, worker: str, wanted: int) -> list[Lease]:
        """Claim up to `wanted` IDs that workers without a heartbeat have left unsettled. Who looks within a
        second after somebody looked in vain is told so without a look: all workers together look once."""
        keys = [self.keys.queue, self.keys.ledger, self.keys.control, self.keys.no_one_gone]
        answer = await self._reclaim(keys, [GROUP, worker, wanted, self.keys.worker_prefix])
        return _leases(answer)

    async def leases_of(self, worker: str) -> list[Lease]:
        """All that Redis says `worker` holds: what a lost answer, or a Redis that forgot a second, hides."""
        answer = await self._redis.xreadgroup(GROUP, worker, {self.keys.queue: "0"})
        entries: Iterable[Any] = next(iter(_streams(answer)), ())
        return [Lease(entry, int(fields[b"id"])) for entry, fields in entries if fields]

    async def pause(self) -> bool:
        """Have no worker lease any more, whatever machine it is on; False when that was so already."""
        return bool(await self._redis.set(self.keys.control, f"{time.time():.0f}", nx=True))

    async def resume(self) -> bool:
        """End a pause; False when there was none."""
        return bool(await self._redis.delete(self.keys.control))

    async def settle(self, settlements: Iterable[Settlement], traffic: Traffic = UNTOLD) -> int:
        """Record outcomes and free the leases, and note what `traffic` there was; returns how many IDs
        changed their state. Raises `OtherSettings`, with nothing settled (see `settle_under`)."""
        minute = minute_of(time.time())
        arguments: list[Any] = [
            GROUP,
            _today(),
            minute % MINUTES_A_DAY,
            EXPIRY_S,
            *traffic[1:],
            self._settings,
        ]
        for (entry, tmdb_id), state, told in settlements:
            if state is State.DROPPED:
                reason = self._letters.reason(told)
                byte, counted = self._letters.reasons[reason], f"{DROPPED_FOR}{reason}"
            else:
                byte, counted = state.value, ""
            arguments += (entry, tmdb_id, byte, state.label, counted, told[:LONGEST_REASON])
        keys = [
            self.keys.queue,
            self.keys.ledger,
            self.keys.counts,
            self.keys.fetched,
            self.keys.failures,
            self.keys.history(day_of(minute)),
            self.keys.traffic(traffic.worker),
            self.keys.about,
        ]
        try:
            return int(await self._settle(keys, arguments))
        except ResponseError as error:
            if recorded_settings.MARK not in str(error):
                raise
            raise OtherSettings(
                f"another worker has recorded other settings for the outcomes of {self.kind.name}: "
                "give all workers the same .env"
            ) from None

    async def queued(self) -> int:
        """How many IDs are not settled yet, leased ones included."""
        counted = await self._redis.hmget(self.keys.counts, [state.label for state in OPEN])
        return sum(int(count or 0) for count in counted)

    async def length(self) -> int:
        """How many entries the stream has: as many as IDs are queued, if nobody meddled."""
        return int(await self._redis.xlen(self.keys.queue))

    async def ledger(self) -> bytes:
        """The whole ledger: byte N is the state of TMDb ID N (see `Ledger`)."""
        ledger: bytes | None = await self._redis.get(self.keys.ledger)
        return ledger or b""

    async def picture(self) -> Picture:
        """Ledger, counts, the length of the stream and the recorded settings, of one moment."""
        async with self._redis.pipeline(transaction=True) as pipe:
            pipe.get(self.keys.ledger)
            pipe.hgetall(self.keys.counts)
            pipe.xlen(self.keys.queue)
            pipe.hget(self.keys.about, recorded_settings.FIELD)
            ledger, counts, length, settings = await pipe.execute()
        return Picture(
            Ledger(self.kind, ledger or b""), counted(counts), length, recorded_settings.read(settings)
        )

    async def history(self, since: int, until: int) -> History:
        """What happened from the minute `since` to the minute `until`, both since the epoch and included."""
        days = days_of(since, until)
        async with self._redis.pipeline(transaction=True) as pipe:
            for day in days:
                pipe.hgetall(self.keys.history(day))
            written = await pipe.execute()
        minutes = {key: value for day in zip(days, written, strict=True) for key, value in of_day(*day)}
        return {minute: minutes[minute] for minute in sorted(minutes) if since <= minute <= until}

    async def snapshot(self) -> Snapshot:
        """How the crawl stands now, all of one moment. Raises `OtherRelease` for keys of a later release."""
        return (await snapshots(self._redis, [self.kind]))[self.kind.name]


def days_since_first(day: datetime.date) -> int:
    """As `fetched` counts them."""
    return (day - FIRST_DAY).days


def _today() -> bytes:
    """The day in UTC, as `fetched` has it: two bytes, days since `FIRST_DAY`."""
    return days_since_first(datetime.datetime.now(datetime.UTC).date()).to_bytes(2, "big")


def _leases(answer: list[bytes]) -> list[Lease]:
    return [Lease(entry, int(tmdb_id)) for entry, tmdb_id in zip(answer[::2], answer[1::2], strict=True)]


def _streams(answer: Any) -> Iterable[Any]:
    """The entry lists of an XREADGROUP answer, in RESP2's shape (list) or RESP3's (dict)."""
    if isinstance(answer, dict):
        return (batch for batches in answer.values() for batch in batches)
    return (entries for _, entries in answer or [])
