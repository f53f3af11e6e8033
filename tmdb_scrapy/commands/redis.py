"""``scrapy redis start|stop``: a Redis for this project on this machine."""

from __future__ import annotations

import argparse
from pathlib import Path
from urllib.parse import unquote, urlsplit

from scrapy.commands import ScrapyCommand

from tmdb_scrapy.commands.base import BAD_USE, CommandFailed, NoRedis, TmdbCommand, complain
from tmdb_scrapy.config import Config, without_secrets
from tmdb_scrapy.kinds import FIRST, KINDS
from tmdb_scrapy.local.redis_binary import RedisServerError
from tmdb_scrapy.local.redis_server import RedisServer
from tmdb_scrapy.local.workers import run_scrapy
from tmdb_scrapy.own_redis import DEFAULT_PORT, DIRECTORY, password_of, port_of
from tmdb_scrapy.queue import IdQueue

LOOPBACK = {"127.0.0.1", "localhost", "::1"}


def start_here(config: Config) -> int:
    """`scrapy redis start` where REDIS_URL is a port of this machine; returns its exit code."""
    is_here = urlsplit(str(config.redis_url)).hostname in LOOPBACK
    return run_scrapy("redis", "start") if is_here else 0


class Command(TmdbCommand, ScrapyCommand):
    """The port is that of REDIS_URL, and so is the password if it has one; else one is made, and found by the
    other commands. The data is under .redis/, append-only, its owner's only."""

    def syntax(self) -> str:
        return "[options] {start,stop}"

    def short_desc(self) -> str:
        return "Start or stop a Redis on this machine"

    def add_options(self, parser: argparse.ArgumentParser) -> None:
        super().add_options(parser)
        parser.add_argument("action", choices=("start", "stop"))
        parser.add_argument(
            "--directory", type=Path, default=DIRECTORY, help="where its data lies (default: .redis)"
        )
        parser.add_argument(
            "--bind",
            action="append",
            default=[],
            metavar="ADDRESS",
            help="serve this address too, besides loopback; REDIS_URL must have a password (repeatable)",
        )

    def execute(self, opts: argparse.Namespace) -> None:
        parts = urlsplit(str(self.config.redis_url))
        where = without_secrets(str(self.config.redis_url))
        server = RedisServer(
            directory=opts.directory,
            port=parts.port or DEFAULT_PORT,
            bind=("::1" if parts.hostname == "::1" else "127.0.0.1", *opts.bind),
            password=unquote(parts.password or ""),
        )
        try:
            if opts.action == "stop":
                print(f"Redis {'stopped' if server.stop() else 'was not running'}")
            elif self._answers():
                print(f"a Redis answers at {where} already")
                self._remark_on_an_open_one(server)
            else:
                self._refuse_what_cannot_be_started(where, opts.bind)
                server.start()
                print(f"Redis started at {where}, data in {server.directory}/")
        except RedisServerError as error:
            raise CommandFailed(str(error)) from None

    def _answers(self) -> bool:
        try:
            self.ask(KINDS[FIRST], IdQueue.length)
        except NoRedis:
            return False
        return True

    def _remark_on_an_open_one(self, server: RedisServer) -> None:
        """An earlier release started it, and so it may go on."""
        own = server.pid is not None and port_of(server.directory) == server.port
        if own and not server.password and not password_of(server.directory):
            complain(
                "it has no password, since an earlier release started it, so everybody on this machine can "
                "use it: when no worker runs, `make redis-stop` and `make redis` give it one"
            )

    def _refuse_what_cannot_be_started(self, where: str, bind: list[str]) -> None:
        parts = urlsplit(str(self.config.redis_url))
        if parts.scheme != "redis":
            raise CommandFailed(
                f"nothing answers at {where}, and what is started here speaks plain redis:// only", BAD_USE
            )
        if parts.hostname not in LOOPBACK and not bind:
            raise CommandFailed(
                f"REDIS_URL is {where}, which is not this machine, and nothing answers there: "
                "start Redis there",
                BAD_USE,
            )
        if parts.username not in {None, "", "default"}:
            raise CommandFailed(
                f"a Redis that is started here has no user but `default`: write REDIS_URL as "
                f"redis://:password@{parts.hostname}:{parts.port or DEFAULT_PORT}/0",
                BAD_USE,
            )
