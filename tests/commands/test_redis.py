"""`scrapy redis start`: one Redis at REDIS_URL, whoever runs it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tmdb_scrapy.local.redis_server import RedisServer
from tmdb_scrapy.own_redis import DIRECTORY

Invoke = Callable[..., int]


@pytest.fixture
def own(invoke: Invoke, tmp_path: Path) -> Iterator[RedisServer]:
    """The Redis of this project's `.redis`, running."""
    server = RedisServer.on_free_port(tmp_path / DIRECTORY)
    yield server
    server.stop()


def test_another_that_answers_will_do(
    invoke: Invoke, own: RedisServer, redis_url: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert invoke("redis", "start", REDIS_URL=redis_url) == 0
    assert "a Redis answers at" in capsys.readouterr().out


def test_our_own_on_another_port_is_told_at_once(
    invoke: Invoke, own: RedisServer, closed_port: int, capsys: pytest.CaptureFixture[str]
) -> None:
    assert invoke("redis", "start", REDIS_URL=f"redis://127.0.0.1:{closed_port}/0") == 1
    said = capsys.readouterr().err
    assert f"runs on port {own.port}" in said and "make redis-stop" in said


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("rediss://127.0.0.1:{port}/0", "plain redis:// only"),
        ("redis://me:secret@127.0.0.1:{port}/0", "no user but `default`"),
    ],
)
def test_what_it_cannot_serve_is_not_started(
    invoke: Invoke, url: str, words: str, closed_port: int, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert invoke("redis", "start", REDIS_URL=url.format(port=closed_port)) == 2
    said = capsys.readouterr().err
    assert words in said and "secret" not in said
    assert not (tmp_path / DIRECTORY).exists()
