"""Asking the API for lists, against a server that says exactly what a test tells it to."""

from __future__ import annotations

import asyncio
import time
from pathlib import Path
from typing import Any

import pytest
from scrapy.settings import Settings
from scripted_server import Answers, serving, sized

from tmdb_scrapy.config import Config
from tmdb_scrapy.downloader import asking
from tmdb_scrapy.downloader.asking import ATTEMPTS, Asking, NotAnswered

KEY = "0123456789abcdef" * 2
FOUND = sized(b'{"page":1}')
DOWN = sized(b'{"status_code":43,"status_message":"Could not connect"}', status=503)
NOTHING = sized(b'{"status_code":34,"status_message":"None here"}', status=404)
THROTTLED = sized(b'{"status_code":25,"status_message":"Too many"}', b"Retry-After: 1", status=429)
REFUSED = sized(b'{"status_code":7,"status_message":"Invalid API key"}', status=401)


@pytest.fixture(autouse=True)
def _short_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(asking, "FIRST_WAIT_S", 0.001)


def asked(script: Answers, times: int = 1, **settings: str) -> list[bytes | None]:
    """What `Asking.look` returns, so many times one after another."""

    async def story() -> list[bytes | None]:
        async with serving(script) as server:
            told = {"TMDB_API_URL": f"{server.url}/3", "TMDB_API_KEY": KEY, **settings}
            config = Config.load(told, Path("/nonexistent/.env"))
            async with Asking(config, Settings({"DOWNLOAD_TIMEOUT": 10, "USER_AGENT": "a-test"})) as api:
                return [await api.look("movie/changes", {"page": "1"}) for _ in range(times)]

    return asyncio.run(story())


@pytest.mark.parametrize("first", [DOWN, Answers.RESET, sized(b"<html>", status=200)])
def test_what_passes_is_asked_for_again(first: bytes) -> None:
    script = Answers(first, FOUND)
    assert asked(script) == [b'{"page":1}']
    assert len(script.requests) == 2
    assert script.requests[1].startswith(b"GET /3/movie/changes?page=1&api_key=")


def test_what_is_not_there_is_nothing_to_look_at_and_refuses_who_needs_it() -> None:
    assert asked(Answers(NOTHING)) == [None]

    async def needed() -> Any:
        async with serving(Answers(NOTHING)) as server:
            config = Config.load({"TMDB_API_URL": f"{server.url}/3"}, Path("/nonexistent/.env"))
            async with Asking(config, Settings()) as api:
                await api.ask("movie/changes", {})

    with pytest.raises(NotAnswered, match=r"no movie/changes: check TMDB_API_URL"):
        asyncio.run(needed())


def test_a_refused_key_is_not_tried_again_and_not_told() -> None:
    script = Answers(REFUSED)
    with pytest.raises(NotAnswered, match=r"Invalid API key.*TMDB_API_KEY") as caught:
        asked(script)
    assert len(script.requests) == 1
    assert KEY not in str(caught.value)


def test_after_a_429_nothing_is_sent_for_as_long_as_it_says() -> None:
    script = Answers(THROTTLED, FOUND)
    assert asked(script) == [b'{"page":1}']
    assert script.times[1] - script.times[0] >= 1.0


def test_requests_keep_the_limit() -> None:
    script = Answers(FOUND)
    asked(script, 5, RATE_LIMIT="50")
    gaps = [after - before for before, after in zip(script.times, script.times[1:], strict=False)]
    assert sum(gaps) >= 4 / 50 * 0.9


def test_after_the_last_attempt_it_is_said_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    slept: list[float] = []
    really = asyncio.sleep

    async def sleep(seconds: float) -> None:
        slept.append(seconds)
        await really(min(seconds, 0.001))

    monkeypatch.setattr(asyncio, "sleep", sleep)
    monkeypatch.setattr(asking, "FIRST_WAIT_S", 50.0)
    script = Answers(DOWN)
    began = time.monotonic()
    with pytest.raises(NotAnswered, match=r"6 times: Could not connect"):
        asked(script, RATE_LIMIT="0")
    assert len(script.requests) == ATTEMPTS
    waits = [seconds for seconds in slept if seconds >= 50]
    assert waits == [50.0 * 2**attempt for attempt in range(ATTEMPTS - 1)]
    assert time.monotonic() - began < 30
