"""A queue on the real Redis."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from tmdb_scrapy.config import Config
from tmdb_scrapy.kinds import KINDS
from tmdb_scrapy.queue import Heartbeat, IdQueue, connect

Story = Callable[[IdQueue], Awaitable[Any]]


def heartbeat(name: str, **details: Any) -> Heartbeat:
    return Heartbeat(name=name, host="here", pid=1, state="crawling", **details)


@pytest.fixture
def tell(config: Config) -> Callable[..., Any]:
    """Runs an async function with an open, empty queue of movies; with `opened=False` as the keys are."""

    def told(story: Story, opened: bool = True) -> Any:
        async def main() -> Any:
            client = connect(config)
            try:
                queue = IdQueue(client, KINDS["movies"])
                if opened:
                    await queue.open()
                return await story(queue)
            finally:
                await client.aclose()

        return asyncio.run(main())

    return told


@pytest.fixture
def beat() -> Callable[..., Heartbeat]:
    """Makes a worker's heartbeat from its name."""
    return heartbeat
