"""A world in which days pass, for commands in processes of their own: a sandbox, a Redis, and a user."""

from __future__ import annotations

import datetime
import shutil
from collections.abc import Callable
from dataclasses import replace
from typing import Any, NamedTuple

import redis
from doomed import User
from foreign_redis import ForeignRedis

from tmdb_scrapy.config import Config
from tmdb_scrapy.kinds import KINDS
from tmdb_scrapy.queue import IdQueue, Settlement, State
from tmdb_scrapy.queue.recorded_settings import present
from tmdb_scrapy.sandbox.server.process import SandboxProcess

Ask = Callable[..., Any]
FIRST = datetime.datetime.now(datetime.UTC).date() - datetime.timedelta(days=60)
OUTCOMES = {"kept": State.KEPT, "dropped": State.DROPPED, "missing": State.MISSING}


class Left(NamedTuple):
    """All that a command has left behind."""

    ledger: bytes
    queue: list[int]
    counts: dict[bytes, bytes]
    about: dict[bytes, bytes]
    exported: bytes
    files: dict[str, bytes]


class World:
    """Begins on day 0, with nothing. Redis and the user's data can be put back to where they were."""

    def __init__(self, sandbox: SandboxProcess, server: ForeignRedis, user: User) -> None:
        urls = {"TMDB_API_URL": sandbox.api_url, "TMDB_EXPORT_URL": sandbox.export_url}
        self.sandbox, self.server = sandbox, server
        self.user = user.with_settings(**urls, RATE_LIMIT="0")
        self.data = user.directory / "data"
        self.data.mkdir()
        self.redis = redis.Redis.from_url(str(server.url))
        self._saved: dict[bytes, bytes] = {}
        self.be(0)

    def be(self, day: int) -> None:
        """It is another day, everywhere."""
        self.user = replace(self.user, today=FIRST + datetime.timedelta(days=day))
        self.sandbox.set(day=day, today=self.user.today.isoformat())

    def run(self, *command: str) -> None:
        """It has to succeed."""
        assert self.user.run(*command) == 0, self.user.said()

    async def crawl(self, queue: IdQueue) -> None:
        """Settle all that is queued, as the sandbox has it; nothing is written."""
        expected = self.sandbox.expected("movies")
        await queue.settle_under(
            present(Config.load(self.user.environment, self.user.directory / ".env"), KINDS["movies"])
        )
        while leases := await queue.lease("ada", 5_000):
            outcomes = (OUTCOMES[expected.get(lease.id, "missing")] for lease in leases)
            await queue.settle(map(Settlement, leases, outcomes))

    def save(self) -> None:
        """Remember how it stands for `restore`."""
        shutil.copytree(self.data, self.user.directory / "saved")
        self._saved = {key: self.redis.dump(key) for key in self.redis.keys("*")}
        self.before = self.left()
        self.redis.script_flush()

    def restore(self) -> None:
        shutil.rmtree(self.data)
        shutil.copytree(self.user.directory / "saved", self.data)
        self.forget()

    def forget(self) -> None:
        """Redis knows what it knew when all was saved, and no script: so a command's moments are the same."""
        self.redis.flushall()
        self.redis.script_flush()
        for key, value in self._saved.items():
            self.redis.restore(key, 0, value)

    def left(self) -> Left:
        files = [path for path in self.data.rglob("*.*") if path.suffix != ".partial"]
        return Left(
            ledger=self.redis.get("{movies}:ledger") or b"",
            queue=[int(fields[b"id"]) for _, fields in self.redis.xrange("{movies}:queue")],
            counts={label: n for label, n in self.redis.hgetall("{movies}:counts").items() if n != b"0"},
            about=self.redis.hgetall("{movies}:about"),
            exported=self.redis.get("{movies}:exported") or b"",
            files={str(path.relative_to(self.data)): path.read_bytes() for path in files},
        )
