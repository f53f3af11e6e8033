"""A Redis is looked at once, when it is connected to: real servers with options, and answers of old ones."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import redis.asyncio
from foreign_redis import ForeignRedis
from redis.exceptions import NoPermissionError

from tmdb_scrapy.local.redis_server import RedisServer, free_port
from tmdb_scrapy.queue.fitness import UnfitRedis, examine

Start = Callable[..., RedisServer]


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    """Starts a Redis with these lines in its configuration."""
    servers = []

    def started(*options: str, kind: type[RedisServer] = ForeignRedis) -> RedisServer:
        options_of_kind = {"options": options} if options else {}
        server = kind(tmp_path / f"redis-{len(servers)}", port=free_port(), **options_of_kind)  # type: ignore[arg-type]
        servers.append(server)
        server.start()
        return server

    yield started
    for server in servers:
        server.stop()


def remarks_on(url: str) -> list[str]:
    async def looked() -> list[str]:
        async with redis.asyncio.Redis.from_url(url) as client:
            return await examine(client)

    return asyncio.run(looked())


def test_our_own_is_beyond_remark(start: Start) -> None:
    assert remarks_on(str(start(kind=RedisServer).url)) == []


@pytest.mark.parametrize("policy", ["allkeys-lru", "allkeys-lfu", "allkeys-random"])
def test_one_that_may_evict_any_key_is_refused(start: Start, policy: str) -> None:
    with pytest.raises(UnfitRedis, match=f"{policy}.*noeviction"):
        remarks_on(str(start(f"maxmemory-policy {policy}").url))


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["maxmemory-policy volatile-ttl"], "may evict heartbeats"),
        (["appendonly no"], "persists nothing"),
        (["appendonly no", 'rename-command CONFIG ""'], "whether it persists cannot be seen"),
        (
            ["appendonly no", "user default on nopass ~* &* +@all -config"],
            "whether it persists cannot be seen",
        ),
    ],
)
def test_what_costs_no_id_is_remarked_on_once(start: Start, options: list[str], words: str) -> None:
    (remark,) = remarks_on(str(start(*options).url))
    assert words in remark


def test_snapshots_will_do(start: Start) -> None:
    assert remarks_on(str(start("appendonly no", "save 3600 1").url)) == []


def test_config_is_not_asked_for_what_info_tells(start: Start) -> None:
    assert remarks_on(str(start('rename-command CONFIG ""').url)) == []


class Answering:
    """A client of a Redis that tells this of itself."""

    def __init__(self, **told: Any) -> None:
        self.told = told

    async def info(self) -> dict[str, Any]:
        return self.told

    async def config_get(self, name: str) -> dict[str, Any]:
        raise NoPermissionError


@pytest.mark.parametrize("version", ["2.8.19", "5.0.14", "6.0.16", "6.1.240"])
def test_one_that_is_too_old_is_refused(version: str) -> None:
    with pytest.raises(UnfitRedis, match=rf"of version {version}, and 6\.2 or later"):
        asyncio.run(examine(Answering(redis_version=version, aof_enabled=1)))  # type: ignore[arg-type]


def test_one_that_refuses_info_is_used() -> None:
    class Silent(Answering):
        async def info(self) -> dict[str, Any]:
            raise NoPermissionError

    assert asyncio.run(examine(Silent())) == [  # type: ignore[arg-type]
        "Redis refuses INFO, so whether it evicts keys, and whether it persists, cannot be seen"
    ]


@pytest.mark.parametrize("version", ["6.2.0", "7.4.1", "10.0.0"])
def test_one_that_is_new_enough_is_not(version: str) -> None:
    told = Answering(redis_version=version, aof_enabled=1, maxmemory_policy="noeviction")
    assert asyncio.run(examine(told)) == []  # type: ignore[arg-type]
