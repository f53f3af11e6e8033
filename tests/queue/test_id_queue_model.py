"""Whatever workers do, in any order, the queue on the real Redis stays equal to a dictionary."""

from __future__ import annotations

import asyncio
import functools
import operator
from collections import Counter
from collections.abc import Awaitable
from typing import Any, TypeVar

import redis
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from tmdb_scrapy.config import Config
from tmdb_scrapy.kinds import KINDS
from tmdb_scrapy.queue import Heartbeat, IdQueue, Lease, Minute, Settlement, State, Traffic, connect
from tmdb_scrapy.queue.keys import GROUP
from tmdb_scrapy.queue.states import Letters

Answer = TypeVar("Answer")

IDS = st.integers(min_value=0, max_value=15)
ID_LISTS = st.lists(IDS, max_size=12)
WORKERS = st.sampled_from(["ada", "bob", "cyd"])
AMOUNTS = st.integers(min_value=1, max_value=6)
OUTCOMES = st.sampled_from([State.KEPT, State.DROPPED, State.MISSING, State.FAILED])
REASONS = st.sampled_from(["budget", "cast", "mine"])
FINAL = {State.KEPT, State.DROPPED, State.MISSING}


class QueueMachine(RuleBasedStateMachine):
    """The rules are what workers and users do; the fields are what must be true."""

    def __init__(self, config: Config) -> None:
        super().__init__()
        self.runner = asyncio.Runner()
        self.client = connect(config)
        self.queue = IdQueue(self.client, KINDS["movies"])
        self.run(self.client.flushall())
        self.run(self.queue.open())
        self.states: dict[int, State] = {}
        self.reasons: dict[int, str] = {}
        """Why each dropped ID was."""
        self.entries: dict[bytes, int] = {}
        """What is in the stream."""
        self.holders: dict[bytes, str] = {}
        """Who has leased which of these."""
        self.past: list[Lease] = []
        """Every lease that was ever given: what a late worker may still settle."""
        self.alive: set[str] = set()
        self.ended: Counter[str] = Counter()
        """How often an ID came into a state, by label."""
        self.failures: dict[int, str] = {}
        """Why each failed ID did."""
        self.exchanged: Counter[str] = Counter()
        """Answers by worker, since it started."""
        self.answers = 0
        """Of all workers that there ever were."""

    def run(self, awaitable: Awaitable[Answer]) -> Answer:
        async def main() -> Answer:
            return await awaitable

        return self.runner.run(main())

    # Seeding and retrying

    @rule(ids=ID_LISTS)
    def seed(self, ids: list[int]) -> None:
        unseen = [tmdb_id for tmdb_id in dict.fromkeys(ids) if tmdb_id not in self.states]
        assert self.run(self.queue.seed(ids)) == len(unseen)
        self._queued(unseen)

    @rule(ids=ID_LISTS, leaving=st.sampled_from([State.FAILED, State.KEPT, State.DROPPED, State.MISSING]))
    def requeue(self, ids: list[int], leaving: State) -> None:
        chosen = [tmdb_id for tmdb_id in dict.fromkeys(ids) if self.states.get(tmdb_id) is leaving]
        if leaving is State.DROPPED:  # reason by reason, so not in the order that was given
            order = list(Letters(KINDS["movies"]).reasons)
            chosen.sort(key=lambda tmdb_id: order.index(self.reasons[tmdb_id]))
        assert self.run(self.queue.requeue(ids, leaving)) == len(chosen)
        self._queued(chosen)

    def _queued(self, ids: list[int]) -> None:
        new = {entry: tmdb_id for entry, tmdb_id in self._stream().items() if entry not in self.entries}
        assert list(new.values()) == ids
        self.entries.update(new)
        self.states.update(dict.fromkeys(ids, State.QUEUED))
        for tmdb_id in ids:
            self.failures.pop(tmdb_id, None)

    # Workers

    @rule(worker=WORKERS)
    def beat(self, worker: str) -> None:
        self.run(self.queue.heartbeats.beat(Heartbeat(name=worker, host="here", pid=1, state="crawling")))
        self.alive.add(worker)

    @rule(worker=WORKERS)
    def die(self, worker: str) -> None:
        self.run(self.client.delete(self.queue.keys.worker(worker)))
        self.alive.discard(worker)

    @rule(worker=WORKERS)
    def hand_back(self, worker: str) -> None:
        self.run(self.queue.heartbeats.end(worker))
        self.alive.discard(worker)
        self.exchanged[worker] = 0

    @rule(worker=WORKERS, wanted=AMOUNTS)
    def lease(self, worker: str, wanted: int) -> None:
        expected: list[Lease] = []
        for entry, tmdb_id in [(e, i) for e, i in self.entries.items() if e not in self.holders]:
            if len(expected) == wanted:
                break
            if self.states[tmdb_id] is State.QUEUED:
                expected.append(Lease(entry, tmdb_id))
            else:
                del self.entries[entry]
        leases = self.run(self.queue.lease(worker, wanted))
        assert leases == expected
        self._held(worker, leases)

    @rule(worker=WORKERS, wanted=AMOUNTS)
    def reclaim(self, worker: str, wanted: int) -> None:
        lost = {
            entry for entry, holder in self.holders.items() if holder != worker and holder not in self.alive
        }
        self.run(self.client.delete(self.queue.keys.no_one_gone))  # a second passes
        leases = self.run(self.queue.reclaim(worker, wanted))
        assert len(leases) <= wanted
        assert {lease.entry for lease in leases} <= lost
        assert all(self.states[lease.id] is State.QUEUED for lease in leases)
        purged = self.entries.keys() - self._stream().keys()
        assert purged <= lost
        assert all(self.states[self.entries[entry]] is not State.QUEUED for entry in purged)
        assert leases or purged or not lost
        self._forget(purged)
        self._held(worker, leases)

    def _held(self, worker: str, leases: list[Lease]) -> None:
        self.holders.update(dict.fromkeys((lease.entry for lease in leases), worker))
        self.past.extend(leases)

    @precondition(lambda self: self.past)
    @rule(
        data=st.data(),
        outcomes=st.lists(st.tuples(OUTCOMES, REASONS), min_size=1, max_size=5),
        times=st.integers(1, 2),
        worker=WORKERS,
        answers=st.integers(0, 9),
    )
    def settle(
        self,
        data: st.DataObject,
        outcomes: list[tuple[State, str]],
        times: int,
        worker: str,
        answers: int,
    ) -> None:
        """By whoever ever had the lease, settled already or not, and perhaps said twice."""
        settlements = [
            Settlement(data.draw(st.sampled_from(self.past)), state, reason) for state, reason in outcomes
        ]
        self.exchanged[worker] += answers
        self.answers += answers
        traffic = Traffic(worker, self.exchanged[worker], self.exchanged[worker], 0)
        expected = sum(self._settled(settlement) for settlement in settlements)
        assert self.run(self.queue.settle(settlements, traffic)) == expected
        if times == 2:
            repeated = sum(self._settled(settlement) for settlement in settlements)
            assert self.run(self.queue.settle(settlements, traffic)) == repeated

    @precondition(lambda self: self.past)
    @rule(data=st.data(), late=st.sampled_from([State.KEPT, State.MISSING]))
    def fail_and_retry_and_settle_late(self, data: st.DataObject, late: State) -> None:
        """The older lease settles an ID that is queued again: the newer entry in the stream is void."""
        lease = data.draw(st.sampled_from(self.past))
        for state in (State.FAILED, late):
            settlement = Settlement(lease, state)
            assert self.run(self.queue.settle([settlement])) == self._settled(settlement)
            if state is State.FAILED:
                self.requeue([lease.id], State.FAILED)

    def _settled(self, settlement: Settlement) -> bool:
        self._forget([settlement.lease.entry])
        before = self.states[settlement.lease.id]
        if before in FINAL or before is settlement.state:
            return False
        self.states[settlement.lease.id] = settlement.state
        self.ended[settlement.state.label] += 1
        self.failures.pop(settlement.lease.id, None)
        if settlement.state is State.FAILED and settlement.reason:
            self.failures[settlement.lease.id] = settlement.reason
        if settlement.state is State.DROPPED:
            self.reasons[settlement.lease.id] = Letters(KINDS["movies"]).reason(settlement.reason)
        return True

    def _forget(self, entries: Any) -> None:
        for entry in list(entries):
            self.entries.pop(entry, None)
            self.holders.pop(entry, None)

    # What must be true after each step

    @invariant()
    def every_seeded_id_has_exactly_its_state(self) -> None:
        ledger = self.run(self.queue.ledger())
        letters = Letters(KINDS["movies"])
        assert {i: letters.state(bytes([byte])) for i, byte in enumerate(ledger) if byte} == self.states
        dropped = {i for i, state in self.states.items() if state is State.DROPPED}
        for tmdb_id in dropped:
            assert bytes([ledger[tmdb_id]]) == letters.reasons[self.reasons[tmdb_id]]

    @invariant()
    def the_counts_are_the_tally_of_the_ledger(self) -> None:
        snapshot = self.run(self.queue.snapshot())
        assert {label: n for label, n in snapshot.counts.items() if n} == Counter(
            state.label for state in self.states.values()
        )
        dropped = [i for i, state in self.states.items() if state is State.DROPPED]
        assert {reason: n for reason, n in snapshot.dropped.items() if n} == Counter(
            self.reasons[tmdb_id] for tmdb_id in dropped
        )
        assert snapshot.leased == len(self.holders)
        assert {worker.name for worker in snapshot.workers} == self.alive
        assert snapshot.lost == Counter(h for h in self.holders.values() if h not in self.alive)

    @invariant()
    def the_history_is_what_happened(self) -> None:
        snapshot = self.run(self.queue.snapshot())
        total = functools.reduce(operator.or_, snapshot.recent.values(), Minute())
        assert Counter({label: getattr(total, label) for label in self.ended}) == self.ended
        assert total.settled == self.ended.total()
        assert total.answers == total.throttled == self.answers
        assert snapshot.failures == self.failures

    @invariant()
    def every_queued_id_is_in_the_stream(self) -> None:
        """Once each, save IDs that were queued again and then settled by a late worker's older lease."""
        stream = self._stream()
        assert stream == self.entries
        assert self.run(self.queue.length()) == len(stream)
        queued = {tmdb_id for tmdb_id, state in self.states.items() if state is State.QUEUED}
        assert queued <= set(stream.values())

    @invariant()
    def redis_knows_who_holds_what(self) -> None:
        for worker in ("ada", "bob", "cyd"):
            held = {lease.entry for lease in self.run(self.queue.leases_of(worker))}
            assert held == {entry for entry, holder in self.holders.items() if holder == worker}

    def _stream(self) -> dict[bytes, int]:
        entries: Any = self.run(self.client.xrange(self.queue.keys.queue))
        return {entry: int(fields[b"id"]) for entry, fields in entries}

    def teardown(self) -> None:
        try:
            self._drain()
        finally:
            self.run(self.client.aclose())
            self.runner.close()

    def _drain(self) -> None:
        """When everybody is gone, one worker comes to the end: nothing stays behind, nothing circles."""
        self.run(self.client.delete(*(self.queue.keys.worker(name) for name in ("ada", "bob", "cyd"))))
        self.run(self.client.delete(self.queue.keys.no_one_gone))  # a second passes
        self.beat("dan")
        unsettled = sum(state is State.QUEUED for state in self.states.values())
        for _ in range(2 * (len(self.entries) + 1)):
            leases = self.run(self.queue.reclaim("dan", 3)) or self.run(self.queue.lease("dan", 3))
            unsettled -= self.run(self.queue.settle([Settlement(lease, State.KEPT) for lease in leases]))
        assert unsettled == 0
        assert self.run(self.queue.queued()) == 0
        assert self.run(self.queue.length()) == 0
        assert self.run(self.client.xpending(self.queue.keys.queue, GROUP))["pending"] == 0
        ledger = self.run(self.queue.ledger())
        assert {i for i, byte in enumerate(ledger) if byte} == self.states.keys()
        assert not ledger.count(State.QUEUED.value)


def test_the_queue_is_a_dictionary(config: Config) -> None:
    run_state_machine_as_test(
        lambda: QueueMachine(config),  # type: ignore[arg-type]  # a factory is documented to do
        settings=settings(
            max_examples=20,
            stateful_step_count=30,
            deadline=None,
            database=None,
            # Shrinking a failure takes minutes of talk with Redis: add Phase.shrink by hand if need be.
            phases=[Phase.generate],
            suppress_health_check=list(HealthCheck),
        ),
    )


def test_one_id_in_every_order_of_outcomes(config: Config) -> None:
    """The table behind the rule: the first final outcome wins, and anything replaces failed."""
    with redis.Redis.from_url(str(config.redis_url)) as plain:
        for first in (State.KEPT, State.DROPPED, State.MISSING, State.FAILED):
            for second in (State.KEPT, State.DROPPED, State.MISSING, State.FAILED):
                plain.flushall()
                asyncio.run(_settle_twice(config, first, second))
                expected = second if first is State.FAILED else first
                assert plain.get("{movies}:ledger") == b"\0" * 7 + expected.value


async def _settle_twice(config: Config, first: State, second: State) -> None:
    client = connect(config)
    try:
        queue = IdQueue(client, KINDS["movies"])
        await queue.seed([7])
        (lease,) = await queue.lease("ada", 1)
        await queue.settle([Settlement(lease, first)])
        await queue.settle([Settlement(lease, second)])
        assert await queue.queued() == 0
    finally:
        await client.aclose()
