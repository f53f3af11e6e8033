"""A worker's leases, against the real Redis."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import pytest
import redis
import redis.asyncio
from waiting import until

from tmdb_scrapy.config import Config
from tmdb_scrapy.kinds import KINDS
from tmdb_scrapy.queue import Heartbeat, IdQueue, Settlement, State, connect
from tmdb_scrapy.queue import feed as feed_module
from tmdb_scrapy.queue.feed import Claim, Feed, QueueInconsistent
from tmdb_scrapy.queue.history import UNTOLD, Traffic
from tmdb_scrapy.queue.wait import WaitForRedis

CONCURRENCY = 4
DEADLINE_S = 20.0


@dataclass
class Stage:
    """A worker `ada` with her feed, and the queue as others see it."""

    client: redis.asyncio.Redis
    queue: IdQueue
    feed: Feed
    wait_for_redis: WaitForRedis
    idle: bool = False
    idle_asked: int = 0
    """How often the feed has looked whether the engine has nothing in hand."""
    taken: list[int] = field(default_factory=list)

    def is_idle(self) -> bool:
        self.idle_asked += 1
        return self.idle

    async def settle(self) -> None:
        await self.feed.settle(self.feed.take_finished(), UNTOLD, 0.1)

    async def crawl(self, outcome: State = State.KEPT) -> list[int]:
        """Take and settle until the feed says that all is done."""
        while (claim := await self.feed.next()) is not None:
            self.taken.append(claim.id)
            self.feed.finish(claim, outcome)
            if self.feed.finished >= 3 or self.feed.finished == self.feed.held:
                await self.settle()
        return self.taken

    async def leased(self) -> int:
        return (await self.queue.snapshot()).leased

    async def until(self, condition: Callable[[], Awaitable[Any]]) -> None:
        """Wait for what another task does."""
        deadline = time.monotonic() + DEADLINE_S
        while not await condition():
            assert time.monotonic() < deadline, "it does not come true"
            await asyncio.sleep(0.01)


Play = Callable[[Callable[[Stage], Awaitable[None]]], None]


@pytest.fixture
def play(config: Config, monkeypatch: pytest.MonkeyPatch) -> Play:
    """Runs an async function on a stage."""
    monkeypatch.setattr(feed_module, "WAIT_FOR_OTHERS_S", 0.02)
    monkeypatch.setattr(feed_module, "RECLAIM_INTERVAL_S", 0.1)

    @asynccontextmanager
    async def staged() -> AsyncIterator[Stage]:
        async with connect(config) as client:
            queue = IdQueue(client, KINDS["movies"])
            await queue.open()
            await queue.heartbeats.beat(Heartbeat(name="ada", host="here", pid=1, state="crawling"))
            wait_for_redis = WaitForRedis(config)
            feed = Feed(queue, "ada", wait_for_redis, CONCURRENCY, lambda: stage.is_idle())
            stage = Stage(client, queue, feed, wait_for_redis)
            yield stage
            feed.stop()

    def played(story: Callable[[Stage], Awaitable[None]]) -> None:
        async def main() -> None:
            async with staged() as stage, asyncio.timeout(DEADLINE_S):
                await story(stage)

        asyncio.run(main())

    return played


class TestPause:
    def test_nothing_is_leased_until_it_ends_and_what_is_held_is_finished(self, play: Play) -> None:
        async def story(stage: Stage) -> None:
            await stage.queue.seed(list(range(1, 41)))
            held = [await stage.feed.next() for _ in range(2 * CONCURRENCY)]
            await stage.queue.pause()
            crawl = asyncio.ensure_future(stage.crawl())
            await until(lambda: stage.feed.paused, "the feed knows of the pause")
            for claim in held:
                assert claim is not None
                stage.feed.finish(claim, State.KEPT)
            await stage.settle()
            await stage.until(_looked_again(stage))
            await stage.queue.heartbeats.beat(Heartbeat(name="ada", host="here", pid=1, state="paused"))
            settled = 40 - await stage.queue.queued()
            assert settled == len(held) + len(stage.taken)
            assert settled < 40
            assert not crawl.done()
            await stage.queue.resume()
            await crawl
            assert not stage.feed.paused
            assert await stage.queue.queued() == 0

        play(story)

    def test_leases_of_the_dead_stay_where_they_are_meanwhile(self, play: Play) -> None:
        async def story(stage: Stage) -> None:
            await stage.queue.seed([1, 2])
            await stage.queue.lease("bob", 2)
            await stage.queue.pause()
            assert await stage.queue.reclaim("ada", 9) == []
            await stage.queue.resume()
            assert len(await stage.queue.reclaim("ada", 9)) == 2

        play(story)


def _looked_again(stage: Stage) -> Callable[[], Awaitable[bool]]:
    """Whether the feed has asked for leases once more since this was called."""
    asked = 0
    lease = stage.queue.lease

    async def counted(worker: str, wanted: int) -> Any:
        nonlocal asked
        asked += 1
        return await lease(worker, wanted)

    stage.queue.lease = counted  # type: ignore[method-assign]

    async def twice() -> bool:
        return asked >= 2

    return twice


class TestTraffic:
    def test_it_is_told_of_when_nothing_is_settled_and_once(self, play: Play) -> None:
        """As during minutes in which every answer is a 429."""

        async def story(stage: Stage) -> None:
            for _ in range(3):
                await stage.feed.settle([], Traffic("ada", 9, 9, 450), 0.1)
            (minute,) = (await stage.queue.snapshot()).recent.values()
            assert (minute.answers, minute.throttled, minute.mean_s) == (9, 9, 0.05)

        play(story)


class TestLeasing:
    def test_every_id_comes_once_and_in_order(self, play: Play) -> None:
        async def story(stage: Stage) -> None:
            await stage.queue.seed(list(range(1, 101)))
            assert await stage.crawl() == list(range(1, 101))
            assert await stage.queue.ledger() == b"\0" + b"k" * 100
            assert await stage.queue.length() == 0

        play(story)

    def test_leases_are_taken_ahead_of_need_and_no_further(self, play: Play) -> None:
        async def story(stage: Stage) -> None:
            await stage.queue.seed(list(range(1, 101)))
            await stage.feed.next()
            assert await stage.leased() == stage.feed.held == 2 * CONCURRENCY

        play(story)

    def test_they_are_refilled_while_the_wire_is_busy(self, play: Play) -> None:
        """Nothing has to be settled, nor run dry, before the next ones are leased: no barrier."""

        async def story(stage: Stage) -> None:
            await stage.queue.seed(list(range(1, 101)))
            taken = [await stage.feed.next() for _ in range(40)]
            assert [claim.id for claim in taken if claim] == list(range(1, 41))
            assert stage.feed.finished == 0

        play(story)

    def test_a_faster_worker_leases_further_ahead(self, play: Play) -> None:
        async def story(stage: Stage) -> None:
            await stage.queue.seed(list(range(1, 1_001)))
            stage.feed.throughput_per_s = 200.0
            await stage.feed.next()
            assert stage.feed.held == 2 * CONCURRENCY + 100

        play(story)

    def test_one_that_runs_dry_leases_further_ahead(self, play: Play) -> None:
        """Before anything is settled nobody knows how fast it is, and Redis may be far away."""

        async def story(stage: Stage) -> None:
            await stage.queue.seed(list(range(1, 1_001)))
            for _ in range(200):
                await stage.feed.next()
            assert stage.feed.held > 200 + 2 * CONCURRENCY

        play(story)

    def test_an_empty_queue_is_drained_at_once(self, play: Play) -> None:
        async def story(stage: Stage) -> None:
            assert await stage.feed.next() is None

        play(story)

    def test_what_is_seeded_during_the_crawl_is_fetched_too(self, play: Play) -> None:
        async def story(stage: Stage) -> None:
            await stage.queue.seed([1])
            claim = await stage.feed.next()
            assert claim is not None
            await stage.queue.seed([2])
            stage.feed.finish(claim, State.KEPT)
            await stage.settle()
            assert await stage.crawl() == [2]

        play(story)


class TestEnd:
    def test_it_waits_while_others_hold_leases(self, play: Play) -> None:
        async def story(stage: Stage) -> None:
            await stage.queue.seed([1, 2])
            await stage.queue.heartbeats.beat(Heartbeat(name="bob", host="there", pid=2, state="crawling"))
            (theirs,) = await stage.queue.lease("bob", 1)
            crawl = asyncio.ensure_future(stage.crawl())
            await stage.until(lambda: _true(stage.feed.waiting and not stage.feed.held))
            assert not crawl.done()
            await stage.queue.settle([Settlement(theirs, State.KEPT)])
            assert await crawl == [2]

        play(story)

    def test_it_takes_over_what_they_lose(self, play: Play) -> None:
        async def story(stage: Stage) -> None:
            await stage.queue.seed([1, 2])
            await stage.queue.heartbeats.beat(Heartbeat(name="bob", host="there", pid=2, state="crawling"))
            await stage.queue.lease("bob", 1)
            crawl = asyncio.ensure_future(stage.crawl())
            await stage.until(lambda: _true(stage.feed.waiting and not stage.feed.held))
            await stage.queue.heartbeats.end("bob")
            assert await crawl == [2, 1]
            assert await stage.queue.queued() == 0

        play(story)

    def test_it_takes_over_nothing_before_others_could_say_that_they_live(self, play: Play) -> None:
        async def story(stage: Stage) -> None:
            await stage.queue.seed([1])
            await stage.queue.lease("bob", 1)
            stage.feed.reclaim_after = asyncio.get_running_loop().time() + 0.3
            started = time.monotonic()
            assert await stage.crawl() == [1]
            assert time.monotonic() - started >= 0.29

        play(story)

    def test_leases_that_it_does_not_know_it_has_are_adopted(self, play: Play) -> None:
        """The answer of a lease was lost on its way."""

        async def story(stage: Stage) -> None:
            await stage.queue.seed([1, 2, 3])
            await stage.queue.lease("ada", 2)
            assert await stage.crawl() == [3, 1, 2]
            assert await stage.queue.queued() == 0

        play(story)

    def test_ids_that_are_queued_but_nowhere_end_in_an_error(self, play: Play) -> None:
        async def story(stage: Stage) -> None:
            await stage.queue.seed([1])
            await stage.client.xtrim(stage.queue.keys.queue, maxlen=0)
            with pytest.raises(QueueInconsistent, match="scrapy audit movies"):
                await stage.feed.next()

        play(story)

    def test_a_fault_that_waiting_does_not_mend_is_raised(self, play: Play) -> None:
        async def story(stage: Stage) -> None:
            await stage.client.set(stage.queue.keys.ledger, "x")
            await stage.client.delete(stage.queue.keys.queue)
            await stage.client.set(stage.queue.keys.queue, "not a stream")
            with pytest.raises(redis.ResponseError):
                await stage.feed.next()

        play(story)

    def test_a_stopped_feed_leases_nothing_more(self, play: Play) -> None:
        async def story(stage: Stage) -> None:
            await stage.queue.seed(list(range(1, 101)))
            await stage.feed.next()
            stage.feed.stop()
            held = stage.feed.held
            for _ in range(held - 1):
                assert await stage.feed.next() is not None
            with pytest.raises(asyncio.CancelledError):
                await stage.feed.next()
            assert await stage.leased() == held

        play(story)


class TestRetries:
    def test_they_come_back_when_they_are_due_the_earliest_first(self, play: Play) -> None:
        async def story(stage: Stage) -> None:
            await stage.queue.seed([1, 2, 3])
            claims = [await stage.feed.next() for _ in range(3)]
            started = asyncio.get_running_loop().time()
            for claim, delay_s in zip(claims, (0.3, 0.1, 0.2), strict=True):
                assert claim is not None
                stage.feed.again(claim, delay_s)
            order = []
            for earliest_s in (0.1, 0.2, 0.3):
                claim = await stage.feed.next()
                assert claim is not None
                assert asyncio.get_running_loop().time() - started >= earliest_s
                order.append(claim.id)
            assert order == [2, 3, 1]

        play(story)

    def test_they_hold_nobody_up(self, play: Play) -> None:
        async def story(stage: Stage) -> None:
            await stage.queue.seed(list(range(1, 31)))
            first = await stage.feed.next()
            assert first is not None
            stage.feed.again(first, 3600.0)
            others = [await stage.feed.next() for _ in range(29)]
            assert [claim.id for claim in others if claim] == list(range(2, 31))

        play(story)

    def test_one_that_is_due_goes_first(self, play: Play) -> None:
        async def story(stage: Stage) -> None:
            await stage.queue.seed([1, 2, 3])
            first = await stage.feed.next()
            assert first is not None
            stage.feed.again(first, 0.0)
            again = await stage.feed.next()
            assert again is first

        play(story)

    def test_a_waiting_spider_is_woken_by_one(self, play: Play) -> None:
        async def story(stage: Stage) -> None:
            await stage.queue.seed([1])
            first = await stage.feed.next()
            assert first is not None
            waiting = asyncio.ensure_future(stage.feed.next())
            await asyncio.sleep(0)
            stage.feed.again(first, 0.01)
            assert await waiting is first

        play(story)


class TestOutcomes:
    def test_the_first_one_counts(self, play: Play) -> None:
        async def story(stage: Stage) -> None:
            await stage.queue.seed([1])
            claim = await stage.feed.next()
            assert claim is not None
            assert stage.feed.finish(claim, State.DROPPED, "cast")
            assert not stage.feed.finish(claim, State.KEPT)
            assert [s.state for s in stage.feed.take_finished()] == [State.DROPPED]
            assert stage.feed.take_finished() == []

        play(story)

    def test_a_lease_is_held_until_it_is_settled(self, play: Play) -> None:
        async def story(stage: Stage) -> None:
            await stage.queue.seed([1])
            claim = await stage.feed.next()
            assert claim is not None
            stage.feed.finish(claim, State.KEPT)
            assert (stage.feed.held, stage.feed.finished) == (1, 1)
            await stage.settle()
            assert (stage.feed.held, stage.feed.finished) == (0, 0)

        play(story)

    def test_an_id_that_a_component_swallowed_is_settled_as_failed(
        self, play: Play, caplog: pytest.LogCaptureFixture
    ) -> None:
        async def story(stage: Stage) -> None:
            await stage.queue.seed([1, 2])
            kept, _swallowed = await stage.feed.next(), await stage.feed.next()
            assert kept is not None
            stage.feed.finish(kept, State.KEPT)
            await stage.settle()
            stage.idle = True
            rest = asyncio.ensure_future(stage.feed.next())
            await stage.until(lambda: _true(stage.feed.finished))
            await stage.settle()
            assert await rest is None
            assert await stage.queue.ledger() == b"\0kf"

        play(story)
        assert "ID 2 was swallowed" in caplog.text

    def test_an_id_in_work_is_not_swallowed(self, play: Play) -> None:
        async def story(stage: Stage) -> None:
            await stage.queue.seed([1])
            claim = await stage.feed.next()
            assert claim is not None
            rest = asyncio.ensure_future(stage.feed.next())
            await until(lambda: stage.idle_asked >= 5, "the feed has looked for swallowed IDs")
            assert not claim.settled
            stage.feed.finish(claim, State.KEPT)
            await stage.settle()
            assert await rest is None

        play(story)

    def test_an_id_that_waits_for_its_retry_is_not_swallowed(self, play: Play) -> None:
        async def story(stage: Stage) -> None:
            await stage.queue.seed([1])
            claim = await stage.feed.next()
            assert claim is not None
            stage.idle = True
            stage.feed.again(claim, 0.3)
            assert await stage.feed.next() is claim
            assert not claim.settled

        play(story)


class TestRedisAway:
    def test_outcomes_are_settled_when_it_is_back(self, play: Play, redis_url: str) -> None:
        async def story(stage: Stage) -> None:
            await stage.queue.seed([1, 2])
            claim = await stage.feed.next()
            assert claim is not None
            stage.feed.finish(claim, State.KEPT)
            await stage.client.replicaof("127.0.0.1", "1")
            try:
                settling = asyncio.ensure_future(stage.settle())
                await until(lambda: "read-only" in stage.wait_for_redis.last_error, "it was refused")
                assert not settling.done()
                assert stage.feed.held == 2
            finally:
                await stage.client.replicaof("NO", "ONE")
            await settling
            assert stage.feed.held == 1
            assert await stage.queue.ledger() == b"\0kq"

        play(story)

    def test_one_that_comes_back_without_its_last_second_is_told_again(self, play: Play) -> None:
        """It has forgotten a settlement: the entry is pending again, though its outcome is known here."""

        async def story(stage: Stage) -> None:
            await stage.queue.seed([1])
            claim = await stage.feed.next()
            assert claim is not None
            before: dict[Any, Any] = {
                key: await stage.client.dump(key) for key in await stage.client.keys("{movies}:[qlc]*")
            }
            stage.feed.finish(claim, State.KEPT)
            await stage.settle()
            for key, value in before.items():
                await stage.client.restore(key, 0, value, replace=True)
            assert await stage.crawl() == [1]
            assert await stage.queue.queued() == await stage.queue.length() == 0

        play(story)


async def _true(value: object) -> object:
    return value


def test_a_claim_knows_its_id() -> None:
    from tmdb_scrapy.queue import Lease

    assert Claim(Lease(b"1-1", 603)).id == 603
