"""An event loop that jumps from timer to timer; and lets tests import the simulation."""

from __future__ import annotations

import asyncio
import selectors
import sys
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any

import pytest

sys.path.insert(0, str(Path(__file__).parent))


class _JumpingSelector(selectors.SelectSelector):
    """Moves the clock by the time that it should have waited."""

    now = 0.0

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        if timeout is None:
            raise AssertionError("the simulation waits for something that nobody will do")
        self.now += max(timeout, 0.0)
        return super().select(0) if timeout < 0 else []


class VirtualLoop(asyncio.SelectorEventLoop):
    """Real asyncio on a clock that starts at 1,000 s and costs no time."""

    def __init__(self) -> None:
        self._clock = _JumpingSelector()
        super().__init__(self._clock)

    def time(self) -> float:
        return 1000.0 + self._clock.now


@pytest.fixture
def virtually() -> Callable[[Coroutine[Any, Any, Any]], Any]:
    """Runs a coroutine in simulated time and returns its result."""

    def run(main: Coroutine[Any, Any, Any]) -> Any:
        with asyncio.Runner(loop_factory=VirtualLoop) as runner:
            return runner.run(main)

    return run
