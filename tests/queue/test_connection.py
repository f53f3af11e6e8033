"""Faults of a real Redis: which ones end by themselves, and what the user is told."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest
import redis

from tmdb_scrapy.config import Config
from tmdb_scrapy.kinds import KINDS
from tmdb_scrapy.local.redis_server import RedisServer
from tmdb_scrapy.own_redis import PASSWORD as PASSWORD_FILE
from tmdb_scrapy.queue import IdQueue, Lease, Settlement, State, connect
from tmdb_scrapy.queue.connection import explain, is_passing

PASSWORD = "open sesame"


@pytest.fixture
def plain(redis_url: str) -> Iterator[redis.Redis]:
    """The same Redis by a blocking client; what a test configured is undone afterwards."""
    with redis.Redis.from_url(redis_url) as client:
        yield client
        client.config_set("maxmemory", 0)
        client.config_set("min-replicas-to-write", 0)
        client.replicaof("NO", "ONE")


def at(url: str) -> Config:
    return Config.load({"REDIS_URL": url}, Path("/nonexistent"))


def errors_of(config: Config) -> list[Exception]:
    """What seeding, leasing and settling run into."""

    async def main() -> list[Exception]:
        async with connect(config) as client:
            queue = IdQueue(client, KINDS["movies"])
            operations = (
                lambda: queue.seed([2, 3]),
                lambda: queue.lease("ada", 1),
                lambda: queue.settle([Settlement(Lease(b"1-1", 1), State.KEPT)]),
            )
            answers = [await asyncio.gather(operation(), return_exceptions=True) for operation in operations]
        return [error for (error,) in answers if isinstance(error, Exception)]

    errors = asyncio.run(main())
    assert errors
    return errors


def seed_one(config: Config) -> None:
    async def main() -> None:
        async with connect(config) as client:
            await IdQueue(client, KINDS["movies"]).seed([1])

    asyncio.run(main())


def test_out_of_memory_passes(config: Config, plain: redis.Redis) -> None:
    seed_one(config)
    plain.config_set("maxmemory", 1)
    for error in errors_of(config):
        assert is_passing(error)
        assert "out of memory: raise its maxmemory" in explain(error, config)


def test_read_only_passes(config: Config, plain: redis.Redis) -> None:
    seed_one(config)
    plain.replicaof("127.0.0.1", "1")
    for error in errors_of(config):
        assert is_passing(error)
        assert "is read-only" in explain(error, config)


def test_too_few_replicas_pass(config: Config, plain: redis.Redis) -> None:
    seed_one(config)
    plain.config_set("min-replicas-to-write", 1)
    assert all(is_passing(error) for error in errors_of(config))


def test_nobody_listening_passes(closed_port: int) -> None:
    url = f"redis://127.0.0.1:{closed_port}/0"
    for error in errors_of(at(url)):
        assert is_passing(error)
        told = explain(error, at(url))
        assert told == f"no Redis answers at {url}: start one with `make redis` or correct REDIS_URL"


def test_a_socket_file_that_is_not_there_passes(tmp_path: Path) -> None:
    assert all(is_passing(error) for error in errors_of(at(f"unix://{tmp_path}/redis.sock")))


@pytest.fixture(scope="module")
def guarded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RedisServer]:
    """A Redis with a password."""
    server = RedisServer.on_free_port(tmp_path_factory.mktemp("guarded"), PASSWORD)
    yield server
    server.stop()


@pytest.mark.parametrize("credentials", [":wrong-word@", "nobody:wrong-word@", "default@"])
def test_a_wrong_password_does_not_pass(guarded: RedisServer, credentials: str) -> None:
    url = f"redis://{credentials}127.0.0.1:{guarded.port}/0"
    for error in errors_of(at(url)):
        assert not is_passing(error)
        told = explain(error, at(url))
        assert told.endswith("refused the password: check REDIS_URL")
        assert "wrong-word" not in told


def test_one_of_ours_whose_password_is_gone_can_be_started_anew(guarded: RedisServer) -> None:
    kept = (guarded.directory / PASSWORD_FILE).read_bytes()
    (guarded.directory / PASSWORD_FILE).unlink()
    try:
        url = f"redis://127.0.0.1:{guarded.port}/0"
        (error, *_) = errors_of(at(url))
    finally:
        (guarded.directory / PASSWORD_FILE).write_bytes(kept)
    assert "start yours anew (make redis-stop, make redis)" in explain(error, at(url))


def test_the_right_password_opens(guarded: RedisServer) -> None:
    url = f"redis://:{PASSWORD.replace(' ', '%20')}@127.0.0.1:{guarded.port}/0"
    seed_one(at(url))


def test_meddled_keys_do_not_pass(config: Config, plain: redis.Redis) -> None:
    plain.set("{movies}:queue", "not a stream")
    with pytest.raises(redis.ResponseError) as caught:
        seed_one(config)
    assert not is_passing(caught.value)
    assert "WRONGTYPE" in explain(caught.value, config)


def test_a_mistake_of_ours_does_not_pass() -> None:
    assert not is_passing(TypeError("no"))
