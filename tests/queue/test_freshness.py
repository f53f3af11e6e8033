from __future__ import annotations

import datetime
from collections.abc import Callable
from typing import Any

from tmdb_scrapy.queue import IdQueue, Settlement, State
from tmdb_scrapy.queue.freshness import Conclusion, ask_again, day_fetched, known, note_seeding

Tell = Callable[..., Any]
TODAY = datetime.date(2026, 8, 31)


async def settled(queue: IdQueue) -> dict[str, int]:
    """One ID in every state that may be left; 6 waits."""
    await queue.seed([1, 2, 3, 4, 5])
    leases = await queue.lease("ada", 9)
    outcomes = [(State.KEPT, ""), (State.DROPPED, "budget"), (State.MISSING, ""), (State.FAILED, "x")]
    outcomes.append((State.KEPT, ""))
    await queue.settle(
        Settlement(lease, state, reason) for lease, (state, reason) in zip(leases, outcomes, strict=True)
    )
    await ask_again(queue, [5])
    (lease,) = await queue.lease("ada", 9) or []
    await queue.settle([Settlement(lease, State.FAILED, "y")])
    await queue.seed([6])
    return (await queue.picture()).counts


def agrees(counts: dict[str, int], ledger: Any) -> bool:
    return all(counts.get(state.label, 0) == ledger.count(state) for state in State)


def test_an_id_leaves_any_final_state_and_a_line_at_hand_stays_at_hand(tell: Tell) -> None:
    async def story(queue: IdQueue) -> None:
        assert (await settled(queue))["stale"] == 1
        assert await ask_again(queue, [5, 4, 3, 2, 1, 6, 7]) == 6
        picture = await queue.picture()
        assert [picture.ledger.state(each) for each in range(1, 8)] == [
            State.REFRESHING, State.QUEUED, State.QUEUED, State.QUEUED, State.REFRESHING, State.QUEUED,
            State.QUEUED,
        ]  # fmt: skip
        assert agrees(picture.counts, picture.ledger) and picture.length == 7
        assert picture.counts["dropped/budget"] == 0
        assert [lease.id for lease in await queue.lease("ada", 9) or []] == [6, 5, 4, 3, 2, 1, 7]
        assert await ask_again(queue, [1, 2, 3, 4, 5, 6, 7]) == 0
        assert not await queue.client.hgetall(queue.keys.failures)

    tell(story)


def test_a_conclusion_stands_with_the_last_of_the_ids_that_it_tells_of(tell: Tell) -> None:
    async def story(queue: IdQueue) -> None:
        marks = []

        class Interrupted(Exception):
            pass

        def interrupt(count: int) -> None:
            marks.append(count)
            if len(marks) == 2:
                raise Interrupted

        ids = list(range(1, 12_001))
        told = Conclusion(TODAY, TODAY, b"\0\1")
        try:
            await ask_again(queue, ids, told, interrupt)
        except Interrupted:
            assert (await known(queue)).changes_read is None
        assert await queue.length() == 10_000
        assert await ask_again(queue, ids, told) == 2_000
        now = await known(queue)
        assert (now.changes_read, now.exported) == (TODAY, b"\0\1")

    tell(story)


def test_a_mark_never_moves_back_whoever_comes_late(tell: Tell) -> None:
    async def story(queue: IdQueue) -> None:
        yesterday = TODAY - datetime.timedelta(days=1)
        await ask_again(queue, [], Conclusion(TODAY, TODAY, b"new"))
        await ask_again(queue, [], Conclusion(yesterday, yesterday, b"old"))
        now = await known(queue)
        assert (now.changes_read, now.exported) == (TODAY, b"new")

    tell(story)


def test_every_machine_knows_what_was_seeded_and_when_that_began(tell: Tell) -> None:
    async def story(queue: IdQueue) -> None:
        later = TODAY + datetime.timedelta(days=3)
        await note_seeding(queue, "a", TODAY, anew=True)
        await note_seeding(queue, "b", later, anew=False)
        await note_seeding(queue, "a", later, anew=False)
        now = await known(queue)
        assert (now.seeded_on, now.selections) == (TODAY, ("a", "b"))
        await ask_again(queue, [], Conclusion(TODAY, TODAY, b"x"))
        await note_seeding(queue, "c", later, anew=True)
        now = await known(queue)
        assert (now.seeded_on, now.selections, now.changes_read, now.exported) == (later, ("c",), None, None)

    tell(story)


def test_the_day_of_the_last_final_outcome_is_known(tell: Tell) -> None:
    async def story(queue: IdQueue) -> None:
        await settled(queue)
        fetched = (await known(queue)).fetched
        assert day_fetched(fetched, 1) == day_fetched(fetched, 3) == day_fetched(fetched, 5) > 2_000
        assert day_fetched(fetched, 4) == day_fetched(fetched, 999) == 0

    tell(story)
