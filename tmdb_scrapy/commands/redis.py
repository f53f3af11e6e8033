"""``scrapy redis start|stop``: a Redis for this project on this machine."""

from __future__ import annotations

import argparse
from pathlib import Path
from urllib.parse import unquote, urlsplit

from scrapy.commands import ScrapyCommand

from tmdb_scrapy.commands.base import BAD_USE, CommandFailed, NoRedis, TmdbCommand
from tmdb_scrapy.config import without_secrets
from tmdb_scrapy.kinds import FIRST, KINDS
from tmdb_scrapy.local.redis_server import DIRECTORY, RedisServer, RedisServerError
from tmdb_scrapy.queue import IdQueue

LOOPBACK = {"127.0.0.1", "localhost", "::1"}


class Command(TmdbCommand, ScrapyCommand):
    """Port and password are those of REDIS_URL; the data is under .redis/, append-only, its owner's only."""

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
            port=parts.port or 6379,
            bind=("::1" if parts.hostname == "::1" else "127.0.0.1", *opts.bind),
            password=unquote(parts.password or ""),
        )
        try:
            if opts.action == "stop":
                print(f"Redis {'stopped' if server.stop() else 'was not running'}")
            elif self._answers():
                print(f"a Redis answers at {where} already")
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
                f"redis://:password@{parts.hostname}:{parts.port or 6379}/0",
                BAD_USE,
            )
