"""Outcomes of different settings are never mixed in silence."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest

from tmdb_scrapy.config import Config
from tmdb_scrapy.kinds import KINDS
from tmdb_scrapy.queue import Heartbeat, IdQueue, Settlement, State
from tmdb_scrapy.queue.recorded_settings import (
    OtherSettings,
    differences,
    differing,
    is_stricter,
    present,
    way_out,
)

MOVIES = KINDS["movies"]
Tell = Callable[[Callable[[IdQueue], Awaitable[Any]]], Any]


def settings(**keys: str) -> dict[str, str]:
    return present(Config.load(keys, Path("/nonexistent")), MOVIES)


def settled_under(tell: Tell, **keys: str) -> int:
    """One ID of the queue is settled by a worker with these settings; how many changed their state."""

    async def story(queue: IdQueue) -> int:
        await queue.settle_under(settings(**keys))
        (lease,) = await queue.lease("ada", 1)
        return await queue.settle([Settlement(lease, State.MISSING)])

    changed: int = tell(story)
    return changed


def seed(tell: Tell, *ids: int) -> None:
    tell(lambda queue: queue.seed(ids))


@pytest.mark.parametrize(
    "keys",
    [
        {"FILTER": "true"},
        {"FILTER": "1", "THREADS": "7", "RATE_LIMIT": "3", "PROCESSES": "2"},
        {"APPEND_TO_RESPONSE": "recommendations, similar,keywords,credits"},
        {"TMDB_API_URL": "https://api.themoviedb.org/3/"},
        {"MIN_BUDGET": " 1000"},
        {"APPEND_PEOPLE": "images", "POPULAR_PEOPLE": "3"},
        {"TMDB_API_KEY": "another", "DATA_DIR": "elsewhere"},
    ],
)
def test_another_spelling_and_settings_of_other_things_concern_nobody(keys: dict[str, str]) -> None:
    assert settings(**keys) == settings()


@pytest.mark.parametrize(
    ("keys", "differs", "run"),
    [
        ({"MIN_BUDGET": "5"}, "MIN_BUDGET", "scrapy retry movies --dropped"),
        ({"FILTER": "off"}, "FILTER", "scrapy retry movies --dropped"),
        ({"MIN_REVENUE": "20000000"}, "MIN_REVENUE", "scrapy refresh movies --all"),
        ({"APPEND_TO_RESPONSE": "credits"}, "APPEND_TO_RESPONSE", "scrapy refresh movies --all"),
        ({"LANGUAGE": "de-DE"}, "LANGUAGE", "scrapy refresh movies --all"),
        ({"TMDB_API_URL": "https://api.tmdb.org/3"}, "TMDB_API_URL", "scrapy refresh movies --all"),
    ],
)
def test_what_differs_is_said_with_the_way_out(keys: dict[str, str], differs: str, run: str) -> None:
    before, now = settings(), settings(**keys)
    assert differing(before, now, MOVIES) == [differs]
    assert (
        differences(before, now, MOVIES) == f"{differs} is {now[differs]!r} now and was {before[differs]!r}"
    )
    assert way_out(before, now, MOVIES) == run


def test_a_filter_that_is_switched_on_again_judges_what_was_kept_again() -> None:
    assert is_stricter(settings(FILTER="off"), settings(), MOVIES)
    assert way_out(settings(FILTER="off"), settings(), MOVIES) == "scrapy refresh movies --all"


def test_a_setting_that_only_one_release_records_differs_from_nothing() -> None:
    assert differing(settings() | {"REGION": "DE"}, settings(), MOVIES) == []


def test_they_are_recorded_with_the_first_outcome_and_not_before(tell: Tell) -> None:
    seed(tell, 1, 2)
    tell(lambda queue: queue.settle_under(settings()))
    assert tell(lambda queue: queue.settings()) == {}
    assert settled_under(tell) == 1
    assert tell(lambda queue: queue.settings()) == settings()


def test_a_ledger_without_a_record_takes_the_settings_of_now(tell: Tell) -> None:
    """As one that an earlier release filled."""

    async def earlier(queue: IdQueue) -> None:
        await queue.seed([1, 2])
        (lease,) = await queue.lease("ada", 1)
        await queue.settle([Settlement(lease, State.MISSING)])

    tell(earlier)
    assert tell(lambda queue: queue.settings()) == {}
    assert settled_under(tell, LANGUAGE="de") == 1
    assert tell(lambda queue: queue.settings())["LANGUAGE"] == "de"


def test_a_worker_with_others_does_not_begin(tell: Tell) -> None:
    seed(tell, 1, 2)
    settled_under(tell)
    with pytest.raises(OtherSettings, match=r"LANGUAGE is 'de' now and was 'en-US'\. Set that back, or run"):
        settled_under(tell, LANGUAGE="de")


def test_of_two_workers_that_began_at_once_with_others_one_settles_nothing(tell: Tell) -> None:
    async def story(queue: IdQueue) -> tuple[int, str, bytes]:
        await queue.seed([1, 2])
        other = IdQueue(queue._redis, MOVIES)
        await queue.settle_under(settings())
        await other.settle_under(settings(LANGUAGE="de"))
        first, second = await queue.lease("ada", 2)
        changed = await queue.settle([Settlement(first, State.KEPT)])
        with pytest.raises(OtherSettings, match=r"same \.env") as refused:
            await other.settle([Settlement(second, State.KEPT)])
        return changed, str(refused.value), await queue.ledger()

    changed, _, ledger = tell(story)
    assert (changed, ledger) == (1, b"\0kq")


def test_adopting_waits_for_workers_to_end(tell: Tell, beat: Callable[..., Heartbeat]) -> None:
    async def story(queue: IdQueue) -> None:
        await queue.seed([1, 2])
        await queue.settle_under(settings())
        (lease,) = await queue.lease("ada", 1)
        await queue.settle([Settlement(lease, State.MISSING)])
        await queue.heartbeats.beat(beat("ada"))
        with pytest.raises(OtherSettings, match=r"ada\. End them first"):
            await queue.adopt(settings(LANGUAGE="de"))
        assert await queue.settings() == settings()
        await queue.heartbeats.end("ada")
        await queue.adopt(settings(LANGUAGE="de"))
        assert await queue.settings() == settings(LANGUAGE="de")

    tell(story)
