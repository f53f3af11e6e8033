"""Everything that a viewer shows of one kind, as it was at one moment."""

from __future__ import annotations

import math
import time
from collections.abc import Iterable, Mapping
from importlib import resources
from typing import Any, NamedTuple, Self

import msgspec
import redis.asyncio
from redis.exceptions import DataError

from tmdb_scrapy.kinds import Kind
from tmdb_scrapy.queue.heartbeat import LATEST, Heartbeat, read
from tmdb_scrapy.queue.history import MINUTES_A_DAY, Minute, day_of, decoded, minute_of
from tmdb_scrapy.queue.keys import GROUP, SCHEMA, UPDATED_AT, Keys
from tmdb_scrapy.queue.release import refuse_later
from tmdb_scrapy.queue.states import DROPPED_FOR, OPEN, State

RECENT_MINUTES = 10
SOURCE = resources.files("tmdb_scrapy.queue") / "scripts" / "snapshot.lua"


class Snapshot(msgspec.Struct, frozen=True, kw_only=True):
    """How a crawl stands, in IDs."""

    counts: dict[str, int]
    """By label of the state."""
    dropped: dict[str, int]
    """By reason of the filter."""
    leased: int
    """Of the queued ones, how many some worker has claimed."""
    workers: list[Heartbeat]
    """Those with a live heartbeat."""
    lost: dict[str, int]
    """Workers without a heartbeat → leases that wait to be taken over."""
    paused_since: float = 0.0
    """Seconds since the epoch; 0 when the kind is not paused."""
    failures: dict[int, str] = {}
    """Why IDs that are failed or stale came to that; of many, only the first."""
    recent: dict[int, Minute] = {}
    """The last `RECENT_MINUTES`, this one included (see `queue.history.History`)."""
    updated_at: float = 0.0
    """When `scrapy update` last ended well, in seconds since the epoch; 0 for never."""

    def of(self, state: State) -> int:
        return self.counts.get(state.label, 0)

    @property
    def total(self) -> int:
        return sum(self.of(state) for state in State)

    @property
    def done(self) -> int:
        return self.total - self.queued

    @property
    def queued(self) -> int:
        """IDs that are not settled yet, leased ones included."""
        return sum(self.of(state) for state in OPEN)


class Question(NamedTuple):
    """What the script `snapshot.lua` is asked."""

    kind: str
    keys: list[str]
    arguments: list[str | int]
    minutes: range
    """Of which history is wanted, the last first, since the epoch."""

    @classmethod
    def at(cls, now: float, keys: Keys) -> Self:
        """`now`: seconds since the epoch."""
        until = minute_of(now)
        minutes = range(until, until - RECENT_MINUTES, -1)
        of_today = sum(day_of(minute) == day_of(until) for minute in minutes)
        asked = [keys.queue, keys.counts, keys.about, keys.control, keys.failures]
        days = [keys.history(day_of(until)), keys.history(day_of(until - MINUTES_A_DAY))]
        fields = [minute % MINUTES_A_DAY for minute in minutes]
        return cls(keys.kind, [*asked, *days], [GROUP, keys.worker_prefix, of_today, *fields], minutes)

    def answered(self, answer: list[Any]) -> Snapshot:
        """The snapshot of which the script's answer tells. Raises `OtherRelease`, and `DataError` for keys
        that somebody else wrote."""
        try:
            return self._understood(answer)
        except ValueError as error:
            raise DataError(
                f"the keys of {self.kind} hold what this program never writes ({error}): check REDIS_URL, or "
                "correct that"
            ) from None

    def _understood(self, answer: list[Any]) -> Snapshot:
        written, flat, control, failures, leased, consumers, recent = answer
        about = {_text(field): _text(value) for field, value in _pairs(flat).items()}
        # First of all: of another layout the rest may mean something else.
        refuse_later(self.kind, int(about.get("schema", SCHEMA)))
        counts = counted(_pairs(written))
        workers, lost = _workers(consumers)
        return Snapshot(
            counts={state.label: counts.get(state.label, 0) for state in State},
            dropped={
                label.removeprefix(DROPPED_FOR): count
                for label, count in sorted(counts.items())
                if label.startswith(DROPPED_FOR) and count
            },
            leased=leased,
            workers=workers,
            lost=lost,
            paused_since=_moment("control", _text(control or b"")),
            failures={int(tmdb_id): _text(why) for tmdb_id, why in _pairs(failures).items()},
            recent={
                minute: decoded(value) for minute, value in zip(self.minutes, recent, strict=True) if value
            },
            updated_at=_moment(UPDATED_AT, about.get(UPDATED_AT, "")),
        )


async def snapshots(client: redis.asyncio.Redis, kinds: Iterable[Kind]) -> dict[str, Snapshot]:
    """How several kinds stand, by name: one call of Redis, all of one moment.

    Raises `OtherRelease` for keys of a later release, and what redis-py raises, `DataError` for keys that
    somebody else wrote."""
    questions = {kind.name: Question.at(time.time(), Keys(kind.name)) for kind in kinds}
    script = client.register_script(SOURCE.read_text(encoding="utf-8"))
    async with client.pipeline(transaction=True) as pipe:
        for question in questions.values():
            await script(question.keys, question.arguments, client=pipe)
        answers = await pipe.execute()
    return {
        name: question.answered(answer)
        for (name, question), answer in zip(questions.items(), answers, strict=True)
    }


def counted(written: Mapping[bytes, bytes]) -> dict[str, int]:
    """The `counts` hash."""
    return {label.decode(): int(count) for label, count in written.items()}


def _text(written: bytes) -> str:
    """Text that anybody may have written."""
    return written.decode(errors="replace")


def _moment(name: str, written: str) -> float:
    """Seconds since the epoch; 0 for a key that is not there. Raises `ValueError`."""
    try:
        seconds = float(written or 0)
    except ValueError:
        seconds = math.nan
    if not 0 <= seconds <= LATEST:
        raise ValueError(f"{name} is {written!r}, which is no moment")
    return seconds


def _pairs(flat: list[bytes]) -> dict[bytes, bytes]:
    """A hash as a script answers it."""
    return dict(zip(flat[::2], flat[1::2], strict=True))


def _workers(triples: list[Any]) -> tuple[list[Heartbeat], dict[str, int]]:
    """The live workers, and how many leases each without a heartbeat has left, of the triples name, leases,
    heartbeat."""
    living, lost = [], {}
    for name, leases, value in zip(triples[::3], triples[1::3], triples[2::3], strict=True):
        if value:
            living.append(read(_text(name), value))
        elif leases:
            lost[_text(name)] = leases
    return sorted(living, key=lambda heartbeat: heartbeat.name), lost
