"""What happened in each minute: kept for days, small, and exact whatever is said twice."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from typing import Any

import pytest
import redis

from tmdb_scrapy.config import Config
from tmdb_scrapy.kinds import KINDS
from tmdb_scrapy.queue import IdQueue, Minute, Settlement, State, Traffic, connect
from tmdb_scrapy.queue.history import (
    EXPIRY_S,
    KEPT_DAYS,
    MINUTES_A_DAY,
    Written,
    day_of,
    days_of,
    decoded,
    minute_of,
)
from tmdb_scrapy.queue.keys import Keys

Tell = Callable[[Callable[[IdQueue], Any]], Any]
NOON = 1_764_072_000.0  # 2025-11-25 12:00 UTC
BUDGET_BYTES = 5_000_000


def test_a_minute_has_its_day_in_utc() -> None:
    assert day_of(minute_of(NOON)) == "2025-11-25"
    assert minute_of(NOON) % MINUTES_A_DAY == 12 * 60


def test_the_days_of_a_stretch_are_all_that_it_touches() -> None:
    noon = minute_of(NOON)
    assert days_of(noon, noon) == ["2025-11-25"]
    assert days_of(noon - 2 * MINUTES_A_DAY, noon + 13 * 60) == [
        "2025-11-23",
        "2025-11-24",
        "2025-11-25",
        "2025-11-26",
    ]


def test_columns_of_a_later_release_are_left_out() -> None:
    assert decoded(b"1 2 3 4 5 6 7 8 9 10") == Minute(1, 2, 3, 4, 5, 6, 7, 8)
    assert decoded(b"1 2") == Minute(1, 2)


def test_minutes_add_up() -> None:
    assert Minute(kept=1, answers=2) | Minute(kept=2, failed=1) == Minute(kept=3, failed=1, answers=2)


def test_it_is_read_over_days(tell: Tell, config: Config, monkeypatch: pytest.MonkeyPatch) -> None:
    async def story(queue: IdQueue) -> None:
        await queue.seed([1, 2, 3])
        days = (NOON - 86_400, NOON - 60, NOON)
        for at, lease in zip(days, await queue.lease("ada", 3) or [], strict=True):
            monkeypatch.setattr(time, "time", lambda at=at: at)
            await queue.settle([Settlement(lease, State.MISSING)])
        noon = minute_of(NOON)
        one = Minute(missing=1)
        assert await queue.history(noon - MINUTES_A_DAY, noon) == {
            noon - MINUTES_A_DAY: one,
            noon - 1: one,
            noon: one,
        }
        assert await queue.history(noon - MINUTES_A_DAY + 1, noon - 1) == {noon - 1: one}
        assert (await queue.snapshot()).recent == {noon: one, noon - 1: one}

    tell(story)


def test_the_last_minutes_reach_back_over_midnight(tell: Tell, monkeypatch: pytest.MonkeyPatch) -> None:
    midnight = NOON + 12 * 3600

    async def story(queue: IdQueue) -> None:
        for at in (midnight - 60, midnight + 60):
            monkeypatch.setattr(time, "time", lambda at=at: at)
            await queue.settle([], Traffic(f"worker-{at}", 5, 1, 250))
        at = minute_of(midnight)
        assert (await queue.snapshot()).recent == {
            at - 1: Minute(answers=5, throttled=1, milliseconds=250),
            at + 1: Minute(answers=5, throttled=1, milliseconds=250),
        }

    tell(story)


def test_what_was_read_is_kept_as_it_is_and_as_long_as_it_is_shown() -> None:
    written = Written()
    written.add({5: Minute(kept=1), 3: Minute(failed=2), 4: Minute(1, 2, 3, 4, 5, 6, 7, 8)}, 0)
    assert dict(written) == {3: Minute(failed=2), 4: Minute(1, 2, 3, 4, 5, 6, 7, 8), 5: Minute(kept=1)}
    written.add({5: Minute(kept=9), 6: Minute(stale=1)}, 5)
    assert dict(written) == {5: Minute(kept=9), 6: Minute(stale=1)}


def test_it_expires(tell: Tell, config: Config) -> None:
    async def story(queue: IdQueue) -> int:
        await queue.settle([], Traffic("ada", 1, 0, 1))
        with redis.Redis.from_url(str(config.redis_url)) as plain:
            keys: Any = plain.keys("*history*")
            return int(plain.ttl(keys[0]))  # type: ignore[arg-type]

    assert EXPIRY_S - 60 < tell(story) <= EXPIRY_S
    assert EXPIRY_S > KEPT_DAYS * 86_400


def test_why_an_id_failed_is_kept_while_it_is_failed_and_no_longer_than_a_line(tell: Tell) -> None:
    async def story(queue: IdQueue) -> None:
        await queue.seed([1, 2])
        first, second = await queue.lease("ada", 2) or []
        await queue.settle(
            [Settlement(first, State.FAILED, "<b>" * 999), Settlement(second, State.FAILED, "http_500")]
        )
        assert (await queue.snapshot()).failures == {1: ("<b>" * 999)[:200], 2: "http_500"}
        await queue.requeue([1], State.FAILED)
        await queue.settle([Settlement(second, State.KEPT)])
        assert (await queue.snapshot()).failures == {}

    tell(story)


def test_of_very_many_only_the_first_reasons_are_kept(tell: Tell) -> None:
    async def story(queue: IdQueue) -> None:
        await queue.seed(list(range(1, 601)))
        leases = await queue.lease("ada", 600) or []
        await queue.settle([Settlement(lease, State.FAILED, "http_500") for lease in leases])
        snapshot = await queue.snapshot()
        assert snapshot.of(State.FAILED) == 600
        assert sorted(snapshot.failures) == list(range(1, 501))

    tell(story)


def test_a_week_of_three_kinds_is_small(config: Config, figures: Callable[[str], None]) -> None:
    """What a busy fleet writes: 3,000 records a second, every minute."""
    busy = b"34012 143201 2210 12 3 180438 301 9012345"
    assert decoded(busy)
    kinds = list(KINDS)[:3]
    with redis.Redis.from_url(str(config.redis_url)) as plain:
        before = int(plain.info("memory")["used_memory"])  # type: ignore[index]
        for kind in kinds:
            for day in range(1, KEPT_DAYS + 1):
                minutes = {str(minute): busy for minute in range(MINUTES_A_DAY)}
                plain.hset(Keys(kind).history(f"2025-11-{day:02}"), mapping=minutes)
        used = int(plain.info("memory")["used_memory"]) - before  # type: ignore[index]
    figures(f"seven days of history of three kinds: {used / 1e6:.1f} MB of Redis")
    assert used < BUDGET_BYTES


def test_nothing_is_there_of_a_kind_that_nobody_fetched(config: Config) -> None:
    async def looked() -> None:
        async with connect(config) as client:
            queue = IdQueue(client, KINDS["movies"])
            assert await queue.history(0, minute_of(time.time())) == {}
            assert (await queue.snapshot()).recent == {}
            assert await client.keys() == []

    asyncio.run(looked())
