"""Waiting for a Redis that is away: what is waited for, what is said meanwhile, and that it ends."""

from __future__ import annotations

import asyncio
import logging

import pytest
from redis.exceptions import AuthenticationError
from redis.exceptions import ConnectionError as RedisConnectionError
from waiting import until

from tmdb_scrapy.config import Config
from tmdb_scrapy.kinds import KINDS
from tmdb_scrapy.local.redis_server import RedisServer
from tmdb_scrapy.queue import IdQueue, connect
from tmdb_scrapy.queue import wait as wait_for_redis_module
from tmdb_scrapy.queue.wait import WaitForRedis


class Flaky:
    """Fails with each of `errors` in turn, then answers."""

    def __init__(self, *errors: Exception) -> None:
        self.errors = list(errors)
        self.calls = 0

    async def __call__(self) -> str:
        self.calls += 1
        if self.errors:
            raise self.errors.pop(0)
        return "answer"


@pytest.fixture
def wait_for_redis(config: Config, monkeypatch: pytest.MonkeyPatch) -> WaitForRedis:
    monkeypatch.setattr(wait_for_redis_module, "FIRST_DELAY_S", 0.001)
    monkeypatch.setattr(wait_for_redis_module, "LONGEST_DELAY_S", 0.002)
    return WaitForRedis(config)


def test_an_answer_is_passed_on(wait_for_redis: WaitForRedis) -> None:
    assert asyncio.run(wait_for_redis(Flaky())) == "answer"
    assert wait_for_redis.last_error == ""


def test_passing_faults_are_waited_out(wait_for_redis: WaitForRedis) -> None:
    operation = Flaky(RedisConnectionError("gone"), TimeoutError(), ConnectionResetError())
    assert asyncio.run(wait_for_redis(operation)) == "answer"
    assert operation.calls == 4


@pytest.mark.parametrize("error", [AuthenticationError("no"), TypeError("ours"), KeyError("ours")])
def test_other_errors_are_raised_at_once(wait_for_redis: WaitForRedis, error: Exception) -> None:
    operation = Flaky(error)
    with pytest.raises(type(error)):
        asyncio.run(wait_for_redis(operation))
    assert operation.calls == 1


def test_one_warning_when_it_goes_and_one_line_when_it_is_back(
    wait_for_redis: WaitForRedis, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, wait_for_redis_module.__name__)
    asyncio.run(wait_for_redis(Flaky(*(RedisConnectionError("gone") for _ in range(5)))))
    warning, back = caplog.records
    assert warning.levelno == logging.WARNING
    assert warning.getMessage().startswith("no Redis answers at redis://127.0.0.1:")
    assert back.getMessage().startswith("Redis is back after ")
    assert wait_for_redis.last_error == ""


def test_while_it_is_away_the_heartbeat_can_say_why(wait_for_redis: WaitForRedis) -> None:
    told = []

    async def operation() -> None:
        told.append(wait_for_redis.last_error)
        if len(told) < 3:
            raise RedisConnectionError("gone")

    asyncio.run(wait_for_redis(operation))
    assert told[0] == ""
    assert told[1].startswith("no Redis answers")


def test_it_can_be_cancelled_while_it_waits(wait_for_redis: WaitForRedis) -> None:
    async def main() -> None:
        operation = Flaky(*(RedisConnectionError("gone") for _ in range(9_999)))
        waiting = asyncio.ensure_future(wait_for_redis(operation))
        await until(lambda: operation.calls > 1, "it tries again")
        waiting.cancel()
        with pytest.raises(asyncio.CancelledError):
            await waiting

    asyncio.run(main())


def test_a_redis_that_ends_and_is_started_again(
    wait_for_redis: WaitForRedis, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """The same client goes on, and what was written is still there."""
    server = RedisServer.on_free_port(tmp_path_factory.mktemp("restarted"))
    config = Config.load({"REDIS_URL": f"redis://127.0.0.1:{server.port}/0"}, server.directory / ".env")

    async def main() -> int:
        async with connect(config) as client:
            queue = IdQueue(client, KINDS["movies"])
            await queue.seed([1, 2])
            await asyncio.to_thread(server.stop)
            waiting = asyncio.ensure_future(wait_for_redis(queue.queued))
            await until(lambda: wait_for_redis.last_error, "it has noticed")
            assert not waiting.done()
            await asyncio.to_thread(server.start)
            return await waiting

    try:
        assert asyncio.run(main()) == 2
    finally:
        server.stop()
