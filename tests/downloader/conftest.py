"""What the tests of the wire share: a scripted server, and an event loop that jumps from timer to timer."""

from __future__ import annotations

import asyncio
import os
import selectors
import sys
from collections.abc import Callable, Coroutine, Mapping
from pathlib import Path
from typing import Any

import pytest
from scrapy import Spider
from scrapy.crawler import Crawler
from scrapy.utils.test import get_crawler

from tmdb_scrapy import settings as page
from tmdb_scrapy.spiders.movies import MoviesSpider

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


@pytest.fixture
def make_crawler(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Crawler]:
    """Makes a crawler with the project's settings, which does not run. `variables` are keys of `.env`."""
    monkeypatch.chdir(tmp_path)
    for name in os.environ:
        monkeypatch.delenv(name)

    def made(
        settings: Mapping[str, Any] | None = None,
        spider_class: type[Spider] = MoviesSpider,
        **variables: str,
    ) -> Crawler:
        for name, value in variables.items():
            monkeypatch.setenv(name, value)
        ours = {name: getattr(page, name) for name in dir(page) if name.isupper()}
        return get_crawler(spider_class, {**ours, "ASYNCIO_EVENT_LOOP": None, **(settings or {})})

    return made
