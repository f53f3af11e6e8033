"""Keys of other releases: older ones are brought up to date in place, newer ones are refused.

`schema_1.json` has the keys of a half crawled queue as Redis DUMPs, made by the last code before schema 2:
30 kept, 20 dropped for its budget, 10 for its cast, 7 missing, 3 failed, 50 leased by ada, 60 to 90 queued.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import redis

from tmdb_scrapy.config import Config
from tmdb_scrapy.kinds import KINDS
from tmdb_scrapy.queue import Heartbeat, IdQueue, Ledger, OtherRelease, Settlement, State
from tmdb_scrapy.queue.keys import SCHEMA

Tell = Callable[[Callable[[IdQueue], Any]], Any]
DUMP = Path(__file__).with_name("schema_1.json")


@pytest.fixture
def plain(config: Config) -> Iterator[redis.Redis]:
    with redis.Redis.from_url(str(config.redis_url)) as client:
        yield client


def restore(plain: redis.Redis) -> None:
    plain.flushall()
    for key, dumped in json.loads(DUMP.read_text(encoding="utf-8")).items():
        plain.restore(key, 0, base64.b64decode(dumped))


def test_a_half_crawled_queue_of_the_release_before_is_finished_exactly(
    tell: Tell, plain: redis.Redis
) -> None:
    async def story(queue: IdQueue) -> None:
        restore(plain)
        await queue.open()
        assert plain.hget("{movies}:about", "schema") == str(SCHEMA).encode()
        await queue.heartbeats.beat(Heartbeat(name="bob", host="here", pid=1, state="crawling"))
        leases = await queue.reclaim("bob", 10) + await queue.lease("bob", 10)
        assert sorted(lease.id for lease in leases) == [50, 60, 70, 80, 90]
        await queue.settle(Settlement(lease, State.DROPPED, "cast") for lease in leases)
        ledger = Ledger(KINDS["movies"], await queue.ledger())
        assert {state.label: ledger.ids(state) for state in State if ledger.count(state)} == {
            "kept": [30],
            "dropped": [10, 20, 50, 60, 70, 80, 90],
            "missing": [7],
            "failed": [3],
        }
        snapshot = await queue.snapshot()
        assert snapshot.dropped == {"cast": 5, "other": 2}
        assert {label: count for label, count in snapshot.counts.items() if count} == {
            "kept": 1, "dropped": 7, "missing": 1, "failed": 1,
        }  # fmt: skip
        assert await queue.requeue([10, 20], State.DROPPED) == 2
        assert (await queue.snapshot()).dropped == {"cast": 5}

    tell(story)


def test_bringing_up_to_date_twice_changes_nothing(tell: Tell, plain: redis.Redis) -> None:
    async def story(queue: IdQueue) -> None:
        restore(plain)
        await queue.check_release()
        once = plain.hgetall("{movies}:counts")
        await queue.check_release()
        assert plain.hgetall("{movies}:counts") == once

    tell(story)


def test_workers_of_the_release_before_are_to_be_ended_first(tell: Tell, plain: redis.Redis) -> None:
    async def story(queue: IdQueue) -> None:
        restore(plain)
        beat = b'{"name":"ada","host":"here","pid":1,"state":"crawling"}'
        plain.set("{movies}:worker:ada", beat, px=10_000)
        with pytest.raises(OtherRelease, match=r"ada\. End them first"):
            await queue.open()
        assert not plain.exists("{movies}:about")

    tell(story)


def test_keys_of_a_later_release_are_refused_and_left_alone(tell: Tell, plain: redis.Redis) -> None:
    async def story(queue: IdQueue) -> None:
        await queue.seed([1])
        plain.hset("{movies}:about", "schema", SCHEMA + 1)
        before = plain.dump("{movies}:queue")
        with pytest.raises(OtherRelease, match=f"schema {SCHEMA + 1}, this one knows {SCHEMA}"):
            await queue.seed([2])
        assert plain.dump("{movies}:queue") == before

    tell(story)


def test_looking_where_nothing_is_writes_nothing(tell: Tell, plain: redis.Redis) -> None:
    async def story(queue: IdQueue) -> None:
        plain.flushall()
        await queue.check_release()
        assert plain.keys("*") == []

    tell(story)
