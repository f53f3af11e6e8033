"""`scrapy redis start`: one Redis at REDIS_URL, whoever runs it."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from foreign_redis import ForeignRedis

from tmdb_scrapy.commands.base import SAID
from tmdb_scrapy.local.redis_server import RedisServer, free_port
from tmdb_scrapy.local.workers import run_scrapy
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


@pytest.fixture
def evicting(tmp_path: Path) -> Iterator[ForeignRedis]:
    """A Redis that throws keys away when it is full, as a cache may."""
    server = ForeignRedis(tmp_path / "cache", free_port(), options=("maxmemory-policy allkeys-lru",))
    server.start()
    yield server
    server.stop()


def test_a_redis_that_may_evict_the_ledger_is_refused_by_commands_and_workers(
    invoke: Invoke, evicting: ForeignRedis, environment: dict[str, str], capfd: pytest.CaptureFixture[str]
) -> None:
    for command in ("merge", "audit", "status", "job"):
        assert invoke(command, "movies", REDIS_URL=str(evicting.url)) == 1
        assert "set its maxmemory-policy to noeviction" in capfd.readouterr().err
    worker = subprocess.run(
        [sys.executable, "-m", "scrapy", "crawl", "movies"],
        env=environment | {"REDIS_URL": str(evicting.url)},
        cwd=Path(__file__).parents[2], capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert worker.returncode == 1
    assert worker.stderr.splitlines()[-1].startswith("tmdb: Redis may evict any key")


def test_a_remark_is_made_once_for_a_command_and_all_that_it_starts(
    invoke: Invoke, as_user: pytest.MonkeyPatch, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    as_user.setenv(SAID, "")
    forgetful = ForeignRedis(tmp_path / "forgetful", free_port(), options=("appendonly no",))
    forgetful.start()
    try:
        assert invoke("status", "movies", REDIS_URL=str(forgetful.url)) == 0
        assert capfd.readouterr().err.count("Redis persists nothing") == 1
        run_scrapy("status", "movies")
        assert "Redis persists nothing" not in capfd.readouterr().err
    finally:
        forgetful.stop()
