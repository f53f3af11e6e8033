"""How old what was collected is: of IDs with a line alone."""

from __future__ import annotations

import datetime
from collections.abc import Callable
from typing import Any

from tmdb_scrapy.queue import IdQueue
from tmdb_scrapy.queue.age import oldest_day

Tell = Callable[[Callable[[IdQueue], Any]], Any]


def test_the_oldest_record_is_that_of_an_id_with_a_line(tell: Tell) -> None:
    async def story(queue: IdQueue) -> None:
        assert await oldest_day(queue) is None
        await queue.client.set(queue.keys.ledger, b"\0mkKFk")
        days = (0, 1, 260, 259, 300, 0)
        await queue.client.set(queue.keys.fetched, b"".join(day.to_bytes(2, "big") for day in days))
        assert await oldest_day(queue) == datetime.date(2020, 1, 1) + datetime.timedelta(259)

    tell(story)
