"""What a refresh knows of a kind's IDs, and how it asks for some of them again."""

from __future__ import annotations

import datetime
import json
import zlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from tmdb_scrapy.queue.id_queue import IDS_A_CALL, IdQueue, unreported
from tmdb_scrapy.queue.keys import UPDATED_AT
from tmdb_scrapy.queue.states import DROPPED_FOR, Letters, State

_TEXTS = ("seeded_on", "selections", "changes_read", "export_compared")


@dataclass(frozen=True, slots=True)
class Known:
    """All of one moment."""

    ledger: bytes = field(repr=False)
    fetched: bytes = field(repr=False)
    """Two bytes an ID: days since `FIRST_DAY`, 0 where that is not known."""
    exported: bytes | None = field(repr=False)
    """Byte N is 1 when ID N was in the export compared last; None when none was."""
    seeded_on: datetime.date | None
    """When the first seeding began."""
    changes_read: datetime.date | None
    """The day until which the change feed was read."""
    selections: tuple[str, ...]
    """What was seeded, in the words of `tmdb_scrapy.sources.seeded`."""


@dataclass(frozen=True, slots=True)
class Conclusion:
    """What stands once all is queued that it tells of."""

    changes_read: datetime.date | None = None
    export_day: datetime.date | None = None
    exported: bytes = field(default=b"", repr=False)


NOTHING = Conclusion()


async def known(queue: IdQueue) -> Known:
    """What Redis has. Raises what redis-py raises."""
    keys = queue.keys
    async with queue.client.pipeline(transaction=True) as pipe:
        pipe.get(keys.ledger)
        pipe.get(keys.fetched)
        pipe.get(keys.exported)
        pipe.hmget(keys.about, _TEXTS)
        ledger, fetched, exported, texts = await pipe.execute()
    seeded_on, selections, changes_read, _ = (text.decode() if text else "" for text in texts)
    return Known(
        ledger=ledger or b"",
        fetched=fetched or b"",
        exported=zlib.decompress(exported) if exported else None,
        seeded_on=_date(seeded_on),
        changes_read=_date(changes_read),
        selections=tuple(json.loads(selections or "[]")),
    )


async def note_seeding(queue: IdQueue, selection: str, today: datetime.date, anew: bool) -> None:
    """Before anything is queued: what is seeded, and when the first seeding began, for every machine to know.
    `anew`: the queue is empty, so whatever stood there is of another."""
    keys = queue.keys
    earlier = [] if anew else (await known(queue)).selections
    async with queue.client.pipeline(transaction=True) as pipe:
        if anew:
            pipe.hdel(keys.about, *_TEXTS)
            pipe.delete(keys.exported)
        pipe.hsetnx(keys.about, "seeded_on", today.isoformat())
        pipe.hset(keys.about, "selections", json.dumps([*dict.fromkeys([*earlier, selection])]))
        await pipe.execute()


async def note_update(queue: IdQueue, at: float) -> None:
    """Note that an update ended well, for those who watch. `at`: seconds since the epoch."""
    await queue.client.hset(queue.keys.about, UPDATED_AT, f"{at:.0f}")


async def ask_again(
    queue: IdQueue,
    ids: Sequence[int],
    conclusion: Conclusion = NOTHING,
    report: Callable[[int], object] = unreported,
) -> int:
    """Queue `ids`, known or not, in that order, but for those that wait already; returns how many those were.
    `conclusion` stands with the last of them. May be repeated. Raises what redis-py raises."""
    keys = queue.keys
    names = [keys.queue, keys.ledger, keys.counts, keys.failures, keys.about, keys.exported]
    script, moves, queued = queue.script("refresh"), _moves(Letters(queue.kind)), 0
    starts = range(0, max(len(ids), 1), IDS_A_CALL)
    for start in starts:
        batch = ids[start : start + IDS_A_CALL]
        said = _said(conclusion) if start == starts[-1] else _said(NOTHING)
        queued += int(await script(names, [moves, ",".join(map(str, batch)), *said]))
        report(len(batch))
    return queued


def is_seen(ledger: bytes, tmdb_id: int) -> bool:
    """Whether an ID was ever queued."""
    return ledger[tmdb_id : tmdb_id + 1] not in (b"", b"\0")


def day_fetched(fetched: bytes, tmdb_id: int) -> int:
    """Days since `FIRST_DAY`, 0 when it is not known."""
    return int.from_bytes(fetched[2 * tmdb_id : 2 * tmdb_id + 2], "big")


def _moves(letters: Letters) -> str:
    """From each state that may be left, which is entered: a line at hand stays at hand."""
    moves = {"": _move(State.QUEUED, "")}
    for state in (State.MISSING, State.FAILED):
        moves[state.value.decode()] = _move(State.QUEUED, state.label)
    for state in (State.KEPT, State.STALE):
        moves[state.value.decode()] = _move(State.REFRESHING, state.label)
    for reason, byte in letters.reasons.items():
        moves[byte.decode()] = _move(State.QUEUED, f"{State.DROPPED.label},{DROPPED_FOR}{reason}")
    return json.dumps(moves)


def _move(entering: State, left: str) -> tuple[str, str, str]:
    return entering.value.decode(), entering.label, left


def _said(conclusion: Conclusion) -> tuple[str, str, bytes]:
    read, compared = conclusion.changes_read, conclusion.export_day
    return (
        read.isoformat() if read else "",
        compared.isoformat() if compared else "",
        zlib.compress(conclusion.exported, 1) if compared else b"",
    )


def _date(text: str) -> datetime.date | None:
    return datetime.date.fromisoformat(text) if text else None
