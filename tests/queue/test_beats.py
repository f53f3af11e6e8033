"""What a beat costs, and what a worker sees of the others."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import pytest

from tmdb_scrapy.kinds import KINDS
from tmdb_scrapy.queue import Heartbeat, IdQueue
from tmdb_scrapy.queue.keys import HEARTBEAT_TTL_S
from tmdb_scrapy.queue.needs import fleet_needs, rounded
from tmdb_scrapy.queue.neighbours import neighbours

Tell = Callable[..., Any]
Beat = Callable[..., Heartbeat]


def test_a_worker_sees_the_live_ones_of_its_machine_alone(tell: Tell, beat: Beat) -> None:
    async def story(queue: IdQueue) -> None:
        for name, machine in (("ada", "a"), ("bob", "a"), ("cyd", "b"), ("dan", "a"), ("eve", "a")):
            await queue.heartbeats.beat(beat(name, machine=machine))
        await queue.heartbeats.end("dan")
        await queue.client.delete(queue.keys.worker("eve"))  # its heartbeat has expired
        series = IdQueue(queue.client, KINDS["tv"])
        await series.open()
        await series.heartbeats.beat(beat("flo", machine="a"))
        seen = [await neighbours([queue, series], machine) for machine in "abc"]
        assert [[worker.name for worker in each] for each in seen] == [["ada", "bob", "flo"], ["cyd"], []]

    tell(story)


def test_names_of_the_dead_leave_a_machines_set(tell: Tell, beat: Beat) -> None:
    async def story(queue: IdQueue) -> None:
        await queue.client.zadd(queue.keys.machine("a"), {"long gone": 1.0})
        await queue.heartbeats.beat(beat("ada", machine="a"))
        assert await queue.client.zrange(queue.keys.machine("a"), 0, -1) == [b"ada"]
        assert 0 < await queue.client.ttl(queue.keys.machine("a")) <= 60

    tell(story)


def test_a_beat_costs_redis_the_same_in_any_fleet(tell: Tell, beat: Beat) -> None:
    async def story(queue: IdQueue) -> None:
        queues = [queue, IdQueue(queue.client, KINDS["tv"])]

        async def cost() -> int:
            """Bytes that Redis answers to a beat and what follows it; beside those that asking costs."""
            sent = [(await queue.client.info("stats"))["total_net_output_bytes"] for _ in range(2)]
            await queue.heartbeats.beat(beat("ada", machine="a"))
            await neighbours(queues, "a")
            await fleet_needs(queues, "movies", "ada", math.inf)
            await queue.reclaim("ada", 10)
            sent.append((await queue.client.info("stats"))["total_net_output_bytes"])
            return int((sent[2] - sent[1]) - (sent[1] - sent[0]))

        async def others(first: int, last: int) -> None:
            for number in range(first, last):
                name, kind = f"worker-{number}", "tv" if number % 2 else "movies"
                await queue.heartbeats.beat(beat(name, machine=f"machine-{number // 4}"))
                await fleet_needs(queues, kind, name, float(number % 39))

        await others(0, 40)
        await cost()
        few = await cost()
        await others(40, 300)
        assert abs(await cost() - few) < 50

    tell(story)


@pytest.mark.parametrize(
    ("need_per_s", "expected_per_s"),
    [
        (0, 0),
        (0.01, 1 / 16),
        (1, 1),
        (1.01, 2),
        (16, 16),
        (1024, 1024),
        (1025, math.inf),
        (math.inf, math.inf),
    ],
)
def test_needs_are_rounded_up_to_few(need_per_s: float, expected_per_s: float) -> None:
    assert rounded(need_per_s) == expected_per_s


def test_the_needs_of_the_living_of_all_kinds_count(tell: Tell, beat: Beat) -> None:
    async def story(queue: IdQueue) -> None:
        queues = [queue, IdQueue(queue.client, KINDS["tv"])]
        assert await fleet_needs(queues, "movies", "ada", math.inf) == {math.inf: 1}
        assert await fleet_needs(queues, "tv", "bob", 15) == {math.inf: 1, 16: 1}
        assert await fleet_needs(queues, "movies", "cyd", 0) == {math.inf: 1, 16: 1, 0: 1}
        assert await fleet_needs(queues, "movies", "ada", 0.3) == {0.5: 1, 16: 1, 0: 1}, "ada needs less now"
        await queues[1].heartbeats.end("bob")
        assert await fleet_needs(queues, "movies", "ada", 0.3) == {0.5: 1, 0: 1}, "bob stopped"
        seconds, _ = await queue.client.time()
        await queue.client.zadd(queue.keys.alive, {"cyd": seconds - HEARTBEAT_TTL_S})
        assert await fleet_needs(queues, "tv", "dan", 16) == {0.5: 1, 16: 1}, "cyd was killed"
        assert await queue.client.zrange(queue.keys.needs, 0, -1) == [b"ada"]
        for key in (queue.keys.alive, queue.keys.needs):
            assert 0 < await queue.client.pttl(key) <= HEARTBEAT_TTL_S * 1000

    tell(story)


def test_all_workers_together_look_for_the_dead_once(tell: Tell, beat: Beat) -> None:
    async def story(queue: IdQueue) -> None:
        await queue.seed([1, 2])
        for name in ("ada", "bob", "cyd"):
            await queue.heartbeats.beat(beat(name))
        lost = await queue.lease("ada", 2)
        assert await queue.reclaim("bob", 5) == []
        assert 0 < await queue.client.pttl(queue.keys.no_one_gone) <= 1_000
        await queue.client.delete(queue.keys.worker("ada"))
        assert await queue.reclaim("cyd", 5) == [], "somebody looked a moment ago"
        await queue.client.delete(queue.keys.no_one_gone)  # a second passes
        assert await queue.reclaim("cyd", 1) == lost[:1]
        assert await queue.reclaim("bob", 5) == lost[1:], "while there is something to take, all take"

    tell(story)


def test_what_a_worker_hands_back_is_anybodys_at_once(tell: Tell, beat: Beat) -> None:
    async def story(queue: IdQueue) -> None:
        await queue.seed([1])
        await queue.heartbeats.beat(beat("ada"))
        lost = await queue.lease("ada", 1)
        assert await queue.reclaim("bob", 5) == []
        await queue.heartbeats.end("ada")
        assert await queue.reclaim("bob", 5) == lost

    tell(story)
