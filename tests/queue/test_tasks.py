"""A task that was told to end ends, whatever it does with its cancellation."""

from __future__ import annotations

import asyncio

from tmdb_scrapy.queue.tasks import end


async def _swallow(cancellations: int) -> int:
    """Works for ever; goes on after so many cancellations."""
    swallowed = 0
    while True:
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            swallowed += 1
            if swallowed > cancellations:
                raise


def test_a_task_that_swallows_cancellations_is_ended_all_the_same() -> None:
    async def main() -> None:
        task = asyncio.create_task(_swallow(2))
        await asyncio.sleep(0)
        async with asyncio.timeout(10):
            await end(task)
        assert task.cancelled()

    asyncio.run(main())


def test_a_task_may_end_by_itself_in_the_time_that_it_is_given() -> None:
    async def main() -> None:
        told = asyncio.Event()
        task = asyncio.create_task(told.wait())
        asyncio.get_running_loop().call_soon(told.set)
        await end(task, within_s=10)
        assert not task.cancelled() and task.result()

    asyncio.run(main())


def test_what_a_task_raised_stays_with_it() -> None:
    async def main() -> None:
        async def fail() -> None:
            raise OSError("disk")

        task = asyncio.create_task(fail())
        await end(task, within_s=10)
        assert isinstance(task.exception(), OSError)

    asyncio.run(main())
