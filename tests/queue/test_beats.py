"""What a beat costs, and what a worker sees of the others."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from tmdb_scrapy.kinds import KINDS
from tmdb_scrapy.queue import Heartbeat, IdQueue
from tmdb_scrapy.queue.neighbours import neighbours

Tell = Callable[..., Any]
Beat = Callable[..., Heartbeat]


def test_a_worker_sees_the_live_ones_of_its_machine_alone(tell: Tell, beat: Beat) -> None:
    async def story(queue: IdQueue) -> None:
        for name, machine in (("ada", "a"), ("bob", "a"), ("cyd", "b"), ("dan", "a"), ("eve", "a")):
            await queue.beat(beat(name, machine=machine))
        await queue.hand_back("dan")
        await queue.client.delete(queue.keys.worker("eve"))  # its heartbeat has expired
        series = IdQueue(queue.client, KINDS["tv"])
        await series.open()
        await series.beat(beat("flo", machine="a"))
        seen = [await neighbours([queue, series], machine) for machine in "abc"]
        assert [[worker.name for worker in each] for each in seen] == [["ada", "bob", "flo"], ["cyd"], []]

    tell(story)


def test_names_of_the_dead_leave_a_machines_set(tell: Tell, beat: Beat) -> None:
    async def story(queue: IdQueue) -> None:
        await queue.client.zadd(queue.keys.machine("a"), {"long gone": 1.0})
        await queue.beat(beat("ada", machine="a"))
        assert await queue.client.zrange(queue.keys.machine("a"), 0, -1) == [b"ada"]
        assert 0 < await queue.client.ttl(queue.keys.machine("a")) <= 60

    tell(story)


def test_a_beat_costs_redis_the_same_in_any_fleet(tell: Tell, beat: Beat) -> None:
    async def story(queue: IdQueue) -> None:
        async def cost() -> int:
            """Bytes that Redis answers to a beat and what follows it; beside those that asking costs."""
            sent = [(await queue.client.info("stats"))["total_net_output_bytes"] for _ in range(2)]
            await queue.beat(beat("ada", machine="a"))
            await neighbours([queue], "a")
            await queue.reclaim("ada", 10)
            sent.append((await queue.client.info("stats"))["total_net_output_bytes"])
            return int((sent[2] - sent[1]) - (sent[1] - sent[0]))

        await cost()
        alone = await cost()
        for number in range(300):
            await queue.beat(beat(f"worker-{number}", machine=f"machine-{number // 4}"))
        assert abs(await cost() - alone) < 50

    tell(story)


def test_all_workers_together_look_for_the_dead_once(tell: Tell, beat: Beat) -> None:
    async def story(queue: IdQueue) -> None:
        await queue.seed([1, 2])
        for name in ("ada", "bob", "cyd"):
            await queue.beat(beat(name))
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
        await queue.beat(beat("ada"))
        lost = await queue.lease("ada", 1)
        assert await queue.reclaim("bob", 5) == []
        await queue.hand_back("ada")
        assert await queue.reclaim("bob", 5) == lost

    tell(story)
