"""Waiting for what another process or thread does, without guessing how long it takes."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable

LOOK_INTERVAL_S = 0.02


def wait_until(condition: Callable[[], object], what: str, timeout_s: float = 60.0) -> None:
    """Poll until `condition` holds; an AssertionError naming `what` otherwise."""
    deadline = time.monotonic() + timeout_s
    while not condition():
        assert time.monotonic() < deadline, f"after {timeout_s:g} s still not so: {what}"
        time.sleep(LOOK_INTERVAL_S)


async def until(condition: Callable[[], object], what: str, timeout_s: float = 60.0) -> None:
    """As `wait_until`, for what another task of this event loop does."""
    deadline = time.monotonic() + timeout_s
    while not condition():
        assert time.monotonic() < deadline, f"after {timeout_s:g} s still not so: {what}"
        await asyncio.sleep(LOOK_INTERVAL_S)
