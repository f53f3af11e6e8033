"""Repairing: counts and stream follow the ledger, whatever was done to them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import redis
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tmdb_scrapy.queue import IdQueue, Settlement, State
from tmdb_scrapy.queue.keys import GROUP
from tmdb_scrapy.queue.repair import repair

Tell = Callable[..., Any]
LEDGER = b"\0kqqmbqdKfFr"
RIGHT = {
    "queued": 3, "kept": 1, "dropped": 3, "missing": 1, "failed": 1, "stale": 1, "refreshing": 1,
    "dropped/budget": 1, "dropped/revenue": 1, "dropped/other": 1,
}  # fmt: skip
"""What the ledger says, written out."""


@pytest.fixture
def plain(redis_url: str) -> Any:
    with redis.Redis.from_url(redis_url) as client:
        yield client


def entries(plain: redis.Redis) -> list[int]:
    return [int(fields[b"id"]) for _, fields in plain.xrange("{movies}:queue")]


def counts(plain: redis.Redis) -> dict[str, int]:
    return {label.decode(): int(count) for label, count in plain.hgetall("{movies}:counts").items()}


def repaired(tell: Tell, plain: redis.Redis) -> tuple[int, ...]:
    return tuple(tell(repair))


def assert_right(tell: Tell, plain: redis.Redis) -> None:
    assert counts(plain) == RIGHT
    assert sorted(entries(plain)) == [2, 3, 6, 8]
    assert repaired(tell, plain) == (0, 0, 0, 0)
    leased = tell(lambda queue: queue.lease("ada", 100))
    assert sorted(lease.id for lease in leased) == [2, 3, 6, 8]


def test_all_is_made_anew_where_only_the_ledger_is_left(tell: Tell, plain: redis.Redis) -> None:
    plain.set("{movies}:ledger", LEDGER)
    assert repaired(tell, plain) == (len(RIGHT), 0, 4, 0)
    assert_right(tell, plain)


def test_entries_keep_their_order_and_come_once(tell: Tell, plain: redis.Redis) -> None:
    plain.set("{movies}:ledger", LEDGER)
    for tmdb_id in (6, 1, 2, 6, 99, 2):
        plain.xadd("{movies}:queue", {"id": tmdb_id})
    plain.xadd("{movies}:queue", {"id": "no number"})
    assert repaired(tell, plain)[1:] == (5, 2, 0)
    assert entries(plain) == [6, 2, 3, 8]
    assert_right(tell, plain)


def test_keys_of_another_type_are_replaced(tell: Tell, plain: redis.Redis) -> None:
    plain.set("{movies}:ledger", LEDGER)
    plain.hset("{movies}:about", "schema", 2)
    plain.set("{movies}:counts", "7")
    plain.rpush("{movies}:queue", "7")
    tell(repair, opened=False)
    assert_right(tell, plain)


def test_a_byte_that_is_no_state_is_asked_for_again(tell: Tell, plain: redis.Redis) -> None:
    plain.set("{movies}:ledger", b"\0k\xffz")
    assert repaired(tell, plain)[3] == 2
    assert plain.get("{movies}:ledger") == b"\0kqq"
    assert entries(plain) == [2, 3]


def test_an_entry_that_was_acknowledged_and_never_settled_is_leased_again(
    tell: Tell, plain: redis.Redis
) -> None:
    async def story(queue: IdQueue) -> list[int]:
        await queue.seed([1, 2])
        (lease,) = await queue.lease("ada", 1)
        await queue._redis.xack(queue.keys.queue, GROUP, lease.entry)
        await repair(queue)
        return [each.id for each in await queue.lease("bob", 5)]

    assert tell(story) == [1, 2]


def test_a_lease_from_before_may_still_be_settled(tell: Tell, plain: redis.Redis) -> None:
    """By a worker that was frozen: its ID is settled once, and leased by nobody after that."""

    async def story(queue: IdQueue) -> list[int]:
        await queue.seed([1, 2])
        (lease,) = await queue.lease("ada", 1)
        await repair(queue)
        await queue.settle([Settlement(lease, State.KEPT)])
        return [each.id for each in await queue.lease("bob", 5)]

    assert tell(story) == [2]
    assert plain.get("{movies}:ledger") == b"\0kq"
    assert entries(plain) == [2]


@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    ledger=st.lists(st.sampled_from(list(b"\0qKkdbmfF")), max_size=40).map(bytes),
    stream=st.lists(st.integers(0, 50), max_size=60),
    told=st.dictionaries(st.sampled_from([*RIGHT, "nonsense"]), st.integers(-3, 9)),
)
def test_whatever_was_done(
    tell: Tell, plain: redis.Redis, ledger: bytes, stream: list[int], told: dict[str, int]
) -> None:
    plain.delete("{movies}:queue", "{movies}:counts")
    plain.set("{movies}:ledger", ledger)
    for tmdb_id in stream:
        plain.xadd("{movies}:queue", {"id": tmdb_id})
    if told:
        plain.hset("{movies}:counts", mapping=told)
    tell(repair)
    assert plain.get("{movies}:ledger") == ledger or not ledger
    assert sorted(entries(plain)) == [each for each, state in enumerate(ledger) if state in b"qK"]
    found = counts(plain)
    assert found.pop("dropped", 0) == ledger.count(b"d") + ledger.count(b"b")
    assert found.pop("kept", 0) == ledger.count(b"k")
    assert "nonsense" not in found
    assert repaired(tell, plain) == (0, 0, 0, 0)
