"""`scrapy repair`, as `scrapy audit` advises it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import redis

from tmdb_scrapy.queue import Heartbeat

Invoke = Callable[..., int]
Ask = Callable[..., Any]


@pytest.fixture
def meddled(ask: Ask, redis_url: str) -> None:
    """Three movies are queued; the stream has lost one, and the counts say seven."""
    ask(lambda queue: queue.seed([1, 2, 3]))
    with redis.Redis.from_url(redis_url) as plain:
        entry, _ = plain.xrange("{movies}:queue")[1]
        plain.xdel("{movies}:queue", entry)
        plain.hset("{movies}:counts", "queued", 7)


@pytest.mark.usefixtures("meddled")
def test_what_the_audit_finds_is_repaired(invoke: Invoke, capsys: pytest.CaptureFixture[str]) -> None:
    assert invoke("audit", "movies") == 1
    assert "Run: scrapy repair movies" in capsys.readouterr().err
    assert invoke("repair", "movies") == 0
    assert "1 count corrected" in (said := capsys.readouterr().out) and "1 added" in said
    assert invoke("repair", "movies") == 0
    assert capsys.readouterr().out == "movies: nothing was wrong\n"
    assert invoke("audit", "movies") == 1
    assert "IDs not settled yet" in capsys.readouterr().err


@pytest.mark.usefixtures("meddled")
def test_while_workers_run_nothing_is_touched(
    invoke: Invoke, ask: Ask, capsys: pytest.CaptureFixture[str]
) -> None:
    ask(lambda queue: queue.heartbeats.beat(Heartbeat(name="ada", host="here", pid=1, state="crawling")))
    assert invoke("repair", "movies") == 1
    assert "ada. End them first" in capsys.readouterr().err
    assert ask(lambda queue: queue.length()) == 2


@pytest.mark.usefixtures("meddled")
def test_a_queue_that_is_no_stream_any_more_is_made_anew(invoke: Invoke, ask: Ask, redis_url: str) -> None:
    with redis.Redis.from_url(redis_url) as plain:
        plain.set("{movies}:queue", "7")
    assert invoke("repair", "movies") == 0
    assert ask(lambda queue: queue.length()) == 3


def test_without_a_ledger_there_is_nothing_to_rebuild_from(
    invoke: Invoke, redis_url: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with redis.Redis.from_url(redis_url) as plain:
        plain.xadd("{movies}:queue", {"id": 1})
    assert invoke("repair", "movies") == 1
    assert "no ledger of movies" in capsys.readouterr().err
