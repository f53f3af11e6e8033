"""Ending a task for certain."""

from __future__ import annotations

import asyncio
from typing import Any

AGAIN_S = 0.2


async def end(task: asyncio.Task[Any], within_s: float = 0.0) -> None:
    """Wait until `task`, which was told to end, has ended; cancel it after `within_s` seconds.

    It is cancelled again and again: a cancellation can be swallowed below, as by `asyncio.wait_for` of Python
    3.11 when it comes together with an answer, and a task that goes on then would never be gone.
    """
    if within_s:
        await asyncio.wait({task}, timeout=within_s)
    while not task.done():
        task.cancel()
        await asyncio.wait({task}, timeout=AGAIN_S)
