"""What a worker's pacing tells of itself."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Coroutine
from typing import Any

import pytest

from tmdb_scrapy.config import Config
from tmdb_scrapy.pacing.pacing import Pacing, Stopping

Virtually = Callable[[Coroutine[Any, Any, Any]], Any]


def test_a_retry_after_is_told_with_the_moment_when_it_ends(virtually: Virtually, config: Config) -> None:
    async def main() -> list[float]:
        pacing, loop = Pacing(config), asyncio.get_running_loop()
        told = [pacing.silent_until]
        await pacing.turn()
        pacing.governor.throttled(loop.time(), 120.0)
        told.append(pacing.silent_until - time.time())
        await asyncio.sleep(90)
        told.append(pacing.silent_until - time.time())
        await asyncio.sleep(30)
        return [*told, pacing.silent_until]

    assert virtually(main()) == pytest.approx([0, 120, 30, 0], abs=1)


def test_after_it_is_closed_nobody_waits_for_a_turn(virtually: Virtually, config: Config) -> None:
    async def main() -> None:
        pacing, loop = Pacing(config), asyncio.get_running_loop()
        await pacing.turn()
        pacing.governor.throttled(loop.time(), 120.0)
        waiting = asyncio.ensure_future(pacing.turn())
        await asyncio.sleep(1)
        pacing.close()
        pacing.close()
        with pytest.raises(Stopping):
            await waiting

    virtually(main())
