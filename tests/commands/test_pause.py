"""``scrapy pause`` and ``scrapy resume``: said once, idempotent, seen by `status`."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import pytest

from tmdb_scrapy.queue import IdQueue

Invoke = Callable[..., int]
Ask = Callable[..., Any]


def test_a_pause_and_its_end(invoke: Invoke, ask: Ask, capsys: pytest.CaptureFixture[str]) -> None:
    assert invoke("pause", "movies") == 0
    assert "movies: paused; workers finish what they hold" in capsys.readouterr().out
    since = ask(IdQueue.snapshot).paused_since
    assert abs(since - time.time()) < 60
    assert invoke("pause", "movies") == 0
    assert "paused already" in capsys.readouterr().out
    assert ask(IdQueue.snapshot).paused_since == since
    assert ask(IdQueue.snapshot, "people").paused_since == 0
    assert invoke("resume", "movies") == 0
    assert "movies: resumed" in capsys.readouterr().out
    assert invoke("resume", "movies") == 0
    assert "was not paused" in capsys.readouterr().out
    assert ask(IdQueue.snapshot).paused_since == 0


def test_status_says_so_and_what_to_do(invoke: Invoke, ask: Ask, capsys: pytest.CaptureFixture[str]) -> None:
    ask(lambda queue: queue.seed([1, 2]))
    invoke("pause", "movies")
    assert invoke("status") == 0
    text = capsys.readouterr().out
    assert "0 of 2 done, paused" in text
    assert "to go on: scrapy resume movies" in text
