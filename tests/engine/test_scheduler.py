"""The order in which requests leave the scheduler, and when it wants more of them."""

from __future__ import annotations

import asyncio

import pytest
from scrapy import Request, Spider
from scrapy.utils.test import get_crawler

from tmdb_scrapy.engine.scheduler import DequeScheduler


def request(name: str, priority: int = 0) -> Request:
    return Request(f"http://localhost/{name}", priority=priority)


def drained(scheduler: DequeScheduler) -> str:
    names = ""
    while (taken := scheduler.next_request()) is not None:
        names += taken.url[-1]
    return names


def test_first_in_first_out() -> None:
    scheduler = DequeScheduler(10)
    for name in "abc":
        assert scheduler.enqueue_request(request(name))
    assert scheduler.has_pending_requests()
    assert drained(scheduler) == "abc"
    assert not scheduler.has_pending_requests()


def test_a_positive_priority_goes_first() -> None:
    scheduler = DequeScheduler(10)
    for name, priority in (("a", 0), ("b", 1), ("c", -1)):
        scheduler.enqueue_request(request(name, priority))
    assert drained(scheduler) == "bac"


def test_the_same_address_twice_is_fetched_twice() -> None:
    scheduler = DequeScheduler(10)
    for _ in range(2):
        scheduler.enqueue_request(request("a"))
    assert drained(scheduler) == "aa"


def test_enough_is_the_concurrency() -> None:
    scheduler = DequeScheduler.from_crawler(get_crawler(Spider, {"CONCURRENT_REQUESTS": 64}))
    assert scheduler._enough == 64


def test_closing_forgets_what_waits() -> None:
    scheduler = DequeScheduler(10)
    scheduler.enqueue_request(request("a"))
    scheduler.close("finished")
    assert not scheduler.has_pending_requests()


@pytest.mark.parametrize("waiting", [0, 3])
def test_there_is_room_below_the_concurrency(waiting: int) -> None:
    scheduler = DequeScheduler(4)
    for _ in range(waiting):
        scheduler.enqueue_request(request("a"))
    asyncio.run(asyncio.wait_for(scheduler.room(), 5))


@pytest.mark.parametrize("enough", [1, 2, 4, 5])
def test_a_full_scheduler_has_room_when_it_is_half_empty(enough: int) -> None:
    async def main() -> None:
        scheduler = DequeScheduler(enough)
        for _ in range(enough):
            scheduler.enqueue_request(request("a"))
        room = asyncio.ensure_future(scheduler.room())
        while scheduler.has_pending_requests():
            await asyncio.sleep(0)
            assert not room.done() or len(scheduler.mqs) <= enough // 2
            scheduler.next_request()
        # The engine asks once more and gets nothing: at the latest now there is room.
        scheduler.next_request()
        await asyncio.wait_for(room, 5)

    asyncio.run(main())
