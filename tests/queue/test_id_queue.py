"""The queue of IDs on a real Redis: seed, lease, settle, reclaim, requeue, progress."""

from __future__ import annotations

import asyncio
import datetime
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import redis
from redis.exceptions import ResponseError

from tmdb_scrapy.config import Config
from tmdb_scrapy.kinds import KINDS
from tmdb_scrapy.queue import Heartbeat, IdQueue, Lease, Ledger, Settlement, State, connect
from tmdb_scrapy.queue.id_queue import IDS_A_CALL
from tmdb_scrapy.queue.keys import GROUP, HEARTBEAT_TTL_S
from tmdb_scrapy.queue.states import Letters

Tell = Callable[[Callable[[IdQueue], Any]], Any]
Beat = Callable[..., Heartbeat]


@pytest.fixture
def plain(config: Config) -> Iterator[redis.Redis]:
    """A blocking client of the same database, to look behind the scene."""
    with redis.Redis.from_url(str(config.redis_url)) as client:
        yield client


def kept(leases: list[Lease]) -> list[Settlement]:
    return [Settlement(lease, State.KEPT) for lease in leases]


class TestSeed:
    def test_the_order_is_kept(self, tell: Tell) -> None:
        async def story(queue: IdQueue) -> None:
            assert await queue.seed([30, 10, 20]) == 3
            assert [lease.id for lease in await queue.lease("ada", 9)] == [30, 10, 20]

        tell(story)

    def test_the_order_is_kept_over_several_calls_to_redis(self, tell: Tell) -> None:
        ids = list(range(2 * IDS_A_CALL + 100, 0, -1))

        async def story(queue: IdQueue) -> None:
            assert await queue.seed(ids) == len(ids)
            leased = []
            while leases := await queue.lease("ada", 2_000):
                leased += [lease.id for lease in leases]
            assert leased == ids

        tell(story)

    def test_seeding_twice_adds_nothing(self, tell: Tell) -> None:
        async def story(queue: IdQueue) -> None:
            await queue.seed([1, 2])
            assert await queue.seed([2, 1]) == 0
            assert await queue.length() == 2

        tell(story)

    def test_a_newer_export_adds_only_what_is_new(self, tell: Tell) -> None:
        async def story(queue: IdQueue) -> None:
            await queue.seed([1, 2])
            await queue.settle(kept(await queue.lease("ada", 1)))
            assert await queue.seed([1, 2, 3]) == 1
            assert [lease.id for lease in await queue.lease("ada", 9)] == [2, 3]

        tell(story)

    def test_every_id_is_reported(self, tell: Tell) -> None:
        reports: list[int] = []

        async def story(queue: IdQueue) -> None:
            await queue.seed([1])
            await queue.seed(list(range(1, IDS_A_CALL + 3)), reports.append)

        tell(story)
        assert sum(reports) == IDS_A_CALL + 2

    def test_an_id_given_twice_is_queued_once(self, tell: Tell) -> None:
        async def story(queue: IdQueue) -> None:
            assert await queue.seed([7, 8, 7, *range(100, 1200), 8, 7]) == 1102
            assert await queue.length() == await queue.queued() == 1102

        tell(story)

    def test_seeding_nothing_queues_nothing(self, tell: Tell) -> None:
        async def story(queue: IdQueue) -> None:
            assert await queue.seed([]) == 0
            assert await queue.lease("ada", 3) == []

        tell(story)

    def test_movies_and_people_do_not_meet(self, config: Config) -> None:
        async def story() -> None:
            client = connect(config)
            movies, people = IdQueue(client, KINDS["movies"]), IdQueue(client, KINDS["people"])
            await movies.seed([1, 2])
            await people.seed([2, 3, 4])
            assert (await movies.queued(), await people.queued()) == (2, 3)
            assert await people.ledger() == b"\0\0qqq"
            await client.aclose()

        asyncio.run(story())

    def test_two_who_seed_the_same_at_once_queue_each_id_once(self, config: Config) -> None:
        ids = list(range(1, 3_000))

        async def story() -> None:
            client = connect(config)
            queue = IdQueue(client, KINDS["movies"])
            added = await asyncio.gather(queue.seed(ids), queue.seed(ids[::-1]))
            assert sum(added) == await queue.length() == await queue.queued() == len(ids)
            await client.aclose()

        asyncio.run(story())

    def test_the_ledger_is_one_byte_an_id(self, tell: Tell) -> None:
        async def story(queue: IdQueue) -> None:
            await queue.seed([3])
            assert await queue.ledger() == b"\0\0\0q"

        tell(story)


class TestLease:
    def test_each_id_is_leased_once(self, config: Config) -> None:
        async def story() -> None:
            client = connect(config)
            queue = IdQueue(client, KINDS["movies"])
            await queue.seed(list(range(1, 501)))
            answers = await asyncio.gather(*(queue.lease(f"worker-{n % 7}", 20) for n in range(40)))
            leased = [lease.id for answer in answers for lease in answer]
            assert sorted(leased) == list(range(1, 501))
            await client.aclose()

        asyncio.run(story())

    def test_no_more_than_wanted(self, tell: Tell) -> None:
        async def story(queue: IdQueue) -> None:
            await queue.seed([1, 2, 3])
            assert len(await queue.lease("ada", 2)) == 2
            assert len(await queue.lease("ada", 2)) == 1
            assert await queue.lease("ada", 2) == []

        tell(story)

    def test_an_entry_whose_id_was_settled_meanwhile_is_skipped_and_removed(self, tell: Tell) -> None:
        async def story(queue: IdQueue) -> None:
            await queue.seed([1, 2])
            (old,) = await queue.lease("ada", 1)
            await queue.settle([Settlement(old, State.FAILED)])
            await queue.requeue([1], State.FAILED)
            await queue.settle([Settlement(old, State.KEPT)])
            assert [lease.id for lease in await queue.lease("bob", 5)] == [2]
            assert await queue.length() == await queue.queued() == 1

        tell(story)

    def test_leases_of_a_worker_are_what_redis_says(self, tell: Tell) -> None:
        async def story(queue: IdQueue) -> None:
            await queue.seed([1, 2, 3])
            ours = await queue.lease("ada", 2)
            await queue.lease("bob", 1)
            assert await queue.leases_of("ada") == ours
            await queue.settle(kept(ours[:1]))
            assert await queue.leases_of("ada") == ours[1:]
            assert await queue.leases_of("nobody") == []

        tell(story)

    @pytest.mark.parametrize("protocol", [2, 3])
    def test_both_protocols_of_redis_work(self, config: Config, protocol: int) -> None:
        async def story() -> None:
            client = redis.asyncio.Redis.from_url(str(config.redis_url), protocol=protocol)
            queue = IdQueue(client, KINDS["movies"])
            await queue.seed([4, 5])
            leases = await queue.lease("ada", 2)
            assert await queue.leases_of("ada") == leases
            assert (await queue.snapshot()).lost == {"ada": 2}
            assert await queue.settle(kept(leases)) == 2
            assert await queue.leases_of("ada") == []
            await client.aclose()

        asyncio.run(story())


class TestSettle:
    def test_ledger_counts_and_stream_move_together(self, tell: Tell) -> None:
        async def story(queue: IdQueue) -> None:
            await queue.seed([1, 2, 3, 4])
            leases = await queue.lease("ada", 4)
            states = (State.KEPT, State.DROPPED, State.MISSING, State.FAILED)
            settlements = [
                Settlement(lease, state, "cast") for lease, state in zip(leases, states, strict=True)
            ]
            assert await queue.settle(settlements) == 4
            assert await queue.ledger() == b"\0kcmf"
            snapshot = await queue.snapshot()
            counts = {label: count for label, count in snapshot.counts.items() if count}
            assert counts == {"kept": 1, "dropped": 1, "missing": 1, "failed": 1}
            assert snapshot.dropped == {"cast": 1}
            assert snapshot.leased == await queue.length() == 0
            assert (snapshot.total, snapshot.done) == (4, 4)

        tell(story)

    def test_saying_it_twice_changes_nothing(self, tell: Tell) -> None:
        async def story(queue: IdQueue) -> None:
            await queue.seed([1])
            settlements = [Settlement(lease, State.DROPPED, "cast") for lease in await queue.lease("ada", 1)]
            assert await queue.settle(settlements) == 1
            assert await queue.settle(settlements) == 0
            assert (await queue.snapshot()).dropped == {"cast": 1}

        tell(story)

    def test_settling_nothing_changes_nothing(self, tell: Tell) -> None:
        async def story(queue: IdQueue) -> None:
            assert await queue.settle([]) == 0

        tell(story)

    def test_a_whole_batch_of_a_stopping_worker_fits_into_one_call(self, tell: Tell) -> None:
        async def story(queue: IdQueue) -> None:
            await queue.seed(list(range(1, 2_001)))
            assert await queue.settle(kept(await queue.lease("ada", 2_000))) == 2_000
            assert await queue.queued() == await queue.length() == 0

        tell(story)

    def test_a_redis_that_forgot_an_id_learns_its_outcome(self, tell: Tell, plain: redis.Redis) -> None:
        """After a restart without the last second, the worker still knows what it has on disk."""

        async def story(queue: IdQueue) -> None:
            await queue.seed([1])
            leases = await queue.lease("ada", 1)
            plain.flushall()
            await queue.open()
            assert await queue.settle(kept(leases)) == 1
            assert await queue.ledger() == b"\0k"
            assert (await queue.snapshot()).counts["queued"] == 0

        tell(story)


class TestLetters:
    """A drop's reason is in the ledger, so that what was dropped for what can be asked for again."""

    def test_each_reason_of_the_filter_has_a_byte_of_its_own(self) -> None:
        for kind in KINDS.values():
            letters = Letters(kind)
            used = [byte for state in State for byte in letters.of(state)]
            assert len(set(used)) == len(used)
            assert all(len(byte) == 1 and byte != b"\0" for byte in used)

    @pytest.mark.parametrize(
        ("told", "byte", "counted"),
        [("budget", b"b", "budget"), ("crew", b"w", "crew"), ("mine", b"d", "other")],
    )
    def test_a_drop_is_counted_and_reopened_by_its_reason(
        self, tell: Tell, told: str, byte: bytes, counted: str
    ) -> None:
        async def story(queue: IdQueue) -> None:
            await queue.seed([1, 2])
            one, two = await queue.lease("ada", 2)
            await queue.settle([Settlement(one, State.DROPPED, told), Settlement(two, State.KEPT)])
            assert await queue.ledger() == b"\0" + byte + b"k"
            assert (await queue.snapshot()).dropped == {counted: 1}
            assert Ledger(queue.kind, await queue.ledger()).ids(State.DROPPED, counted) == [1]
            assert await queue.requeue([1, 2], State.DROPPED) == 1
            snapshot = await queue.snapshot()
            assert (snapshot.dropped, snapshot.of(State.DROPPED), snapshot.queued) == ({}, 0, 1)

        tell(story)

    def test_the_day_of_each_final_outcome_is_written_down(self, tell: Tell, plain: redis.Redis) -> None:
        async def story(queue: IdQueue) -> None:
            await queue.seed([1, 2, 3])
            one, two, _ = await queue.lease("ada", 3)
            await queue.settle([Settlement(one, State.KEPT), Settlement(two, State.FAILED)])
            day = (datetime.datetime.now(datetime.UTC).date() - datetime.date(2020, 1, 1)).days
            assert plain.get(queue.keys.fetched) == b"\0\0" + day.to_bytes(2, "big")

        tell(story)

    def test_a_stale_id_keeps_its_line_whatever_fails(self, tell: Tell, plain: redis.Redis) -> None:
        async def story(queue: IdQueue) -> None:
            await queue.seed([1])
            await queue.settle(kept(await queue.lease("ada", 1)))
            plain.setrange(queue.keys.ledger, 1, "F")
            plain.hincrby(queue.keys.counts, "kept", -1)
            plain.hincrby(queue.keys.counts, "stale", 1)
            assert await queue.requeue([1], State.STALE) == 1
            assert await queue.ledger() == b"\0K"
            assert await queue.queued() == 1
            (lease,) = await queue.lease("ada", 1)
            await queue.settle([Settlement(lease, State.FAILED, "http_500")])
            assert await queue.ledger() == b"\0F"
            snapshot = await queue.snapshot()
            assert (snapshot.of(State.STALE), snapshot.of(State.FAILED), snapshot.queued) == (1, 0, 0)

        tell(story)


class TestReclaim:
    def test_leases_of_a_live_worker_are_its_own(self, tell: Tell, beat: Beat) -> None:
        async def story(queue: IdQueue) -> None:
            await queue.seed([1])
            await queue.heartbeats.beat(beat("ada"))
            await queue.lease("ada", 1)
            assert await queue.reclaim("bob", 5) == []

        tell(story)

    def test_leases_of_a_worker_without_heartbeat_are_taken_over(self, tell: Tell, beat: Beat) -> None:
        async def story(queue: IdQueue) -> None:
            await queue.seed([1, 2, 3])
            await queue.heartbeats.beat(beat("ada"))
            lost = await queue.lease("ada", 3)
            await queue.heartbeats.end("ada")
            assert await queue.reclaim("bob", 2) == lost[:2]
            assert await queue.reclaim("bob", 2) == lost[2:]
            assert await queue.leases_of("bob") == lost

        tell(story)

    def test_two_workers_never_take_the_same(self, tell: Tell) -> None:
        async def story(queue: IdQueue) -> None:
            await queue.seed(list(range(1, 101)))
            await queue.lease("ada", 100)
            for worker in ("bob", "cyd"):
                await queue.heartbeats.beat(Heartbeat(name=worker, host="here", pid=1, state="waiting"))
            answers = await asyncio.gather(*(queue.reclaim(("bob", "cyd")[n % 2], 7) for n in range(30)))
            taken = [lease.id for answer in answers for lease in answer]
            assert sorted(taken) == list(range(1, 101))

        tell(story)

    def test_a_late_worker_may_still_settle_what_was_taken_over(self, tell: Tell) -> None:
        async def story(queue: IdQueue) -> None:
            await queue.seed([1])
            lost = await queue.lease("ada", 1)
            taken = await queue.reclaim("bob", 1)
            assert await queue.settle([Settlement(lost[0], State.KEPT)]) == 1
            assert await queue.settle([Settlement(taken[0], State.MISSING)]) == 0
            assert await queue.ledger() == b"\0k"
            assert await queue.length() == 0

        tell(story)

    def test_the_name_of_a_worker_that_is_gone_is_forgotten_but_never_its_leases(
        self, tell: Tell, plain: redis.Redis
    ) -> None:
        async def story(queue: IdQueue) -> None:
            await queue.seed([1, 2])
            await queue.settle(kept(await queue.lease("ada", 1)))
            await queue.lease("bob", 1)
            await queue.reclaim("cyd", 1)
            await queue.reclaim("cyd", 1)
            names = {consumer["name"] for consumer in plain.xinfo_consumers(queue.keys.queue, GROUP)}
            assert names == {b"cyd"}
            assert [lease.id for lease in await queue.leases_of("cyd")] == [2]

        tell(story)

    def test_a_heartbeat_ends_by_itself(self, tell: Tell, beat: Beat, plain: redis.Redis) -> None:
        async def story(queue: IdQueue) -> None:
            await queue.heartbeats.beat(beat("ada"))
            assert 0 < plain.pttl(queue.keys.worker("ada")) <= HEARTBEAT_TTL_S * 1000

        tell(story)


class TestRequeue:
    def test_failed_ids_come_back_at_the_end(self, tell: Tell) -> None:
        async def story(queue: IdQueue) -> None:
            await queue.seed([1, 2])
            (first,) = await queue.lease("ada", 1)
            await queue.settle([Settlement(first, State.FAILED, "http_500")])
            assert await queue.requeue([1, 2], State.FAILED) == 1
            assert [lease.id for lease in await queue.lease("ada", 9)] == [2, 1]
            counts = (await queue.snapshot()).counts
            assert (counts["failed"], counts["queued"]) == (0, 2)

        tell(story)

    @pytest.mark.parametrize("state", [State.DROPPED, State.MISSING, State.QUEUED])
    def test_other_ids_stay(self, tell: Tell, state: State) -> None:
        async def story(queue: IdQueue) -> None:
            await queue.seed([1])
            if state is not State.QUEUED:
                await queue.settle([Settlement(lease, state) for lease in await queue.lease("ada", 1)])
            assert await queue.requeue([1], State.FAILED) == await queue.requeue([1], State.KEPT) == 0

        tell(story)


class TestProgress:
    def test_a_redis_that_knows_nothing_has_none(self, config: Config) -> None:
        async def story() -> None:
            client = connect(config)
            snapshot = await IdQueue(client, KINDS["movies"]).snapshot()
            assert (snapshot.total, snapshot.leased, snapshot.workers, snapshot.lost) == (0, 0, [], {})
            await client.aclose()

        asyncio.run(story())

    @pytest.mark.parametrize(
        "said",
        [
            b'{"name":"ada","pid":"of a later release"}',
            b'{"name":"bob","host":"h","pid":1,"state":"crawling"}',
            b'{"name":"ada","host":"h","pid":1,"state":"crawling","silent_until":1e300}',
            b'{"name":"ada","host":"h","pid":1,"state":"crawling","memory_bytes":1' + b"0" * 400 + b"}",
            b'{"name":"ada","host":"h","pid":1,"state":"crawling","answers":-1}',
        ],
    )
    def test_a_worker_lives_although_it_cannot_be_understood(
        self, tell: Tell, beat: Beat, plain: redis.Redis, said: bytes
    ) -> None:
        async def story(queue: IdQueue) -> None:
            await queue.heartbeats.beat(beat("ada"))
            await queue.seed([1, 2])
            await queue.lease("ada", 2)
            plain.set(queue.keys.worker("ada"), said)
            (worker,) = await queue.heartbeats.living()
            assert (worker.name, worker.state) == ("ada", "unreadable")
            assert (await queue.snapshot()).lost == {}
            assert await queue.reclaim("bob", 9) == []

        tell(story)

    def test_workers_and_what_the_dead_have_left(self, tell: Tell, beat: Beat) -> None:
        async def story(queue: IdQueue) -> None:
            await queue.seed([1, 2, 3, 4])
            for worker, wanted in (("bob", 1), ("ada", 2)):
                await queue.heartbeats.beat(beat(worker, rate_per_s=3.5))
                await queue.lease(worker, wanted)
            await queue.heartbeats.end("ada")
            snapshot = await queue.snapshot()
            assert [(worker.name, worker.rate_per_s) for worker in snapshot.workers] == [("bob", 3.5)]
            assert snapshot.lost == {"ada": 2}
            assert snapshot.leased == 3

        tell(story)

    def test_opening_twice_is_fine_and_other_faults_are_told(self, tell: Tell, plain: redis.Redis) -> None:
        async def story(queue: IdQueue) -> None:
            await queue.open()
            plain.set("{people}:queue", "not a stream")
            with pytest.raises(ResponseError, match="WRONGTYPE"):
                await IdQueue(queue._redis, KINDS["people"]).open()

        tell(story)
