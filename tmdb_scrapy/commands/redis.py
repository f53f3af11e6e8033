"""``scrapy redis start|stop``: a Redis for this project on this machine."""

from __future__ import annotations

import argparse
from pathlib import Path
from urllib.parse import unquote, urlsplit

from tmdb_scrapy.command import BAD_USE, CommandFailed, TmdbCommand
from tmdb_scrapy.config import without_secrets
from tmdb_scrapy.queue import IdQueue
from tmdb_scrapy.redis_server import DIRECTORY, RedisServer, RedisServerError

LOOPBACK = {"127.0.0.1", "localhost", "::1"}


class Command(TmdbCommand):
    """Port and password are those of REDIS_URL; the data is under .redis/, append-only, its owner's only."""

    kinds = ()

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
            bind=("127.0.0.1", *opts.bind),
            password=unquote(parts.password or ""),
        )
        try:
            if opts.action == "stop":
                print(f"Redis {'stopped' if server.stop() else 'was not running'}")
                return
            if parts.scheme != "redis" or (parts.hostname not in LOOPBACK and not opts.bind):
                self._check_elsewhere(where)
            elif server.pid is None and self._answers():
                print(f"a Redis answers at {where} already")
            else:
                print(
                    f"Redis {'started' if server.start() else 'runs already'} at {where}, "
                    f"data in {server.directory}/"
                )
        except RedisServerError as error:
            raise CommandFailed(str(error)) from None

    def _answers(self) -> bool:
        try:
            self.ask("movies", IdQueue.length)
        except CommandFailed as error:
            if "no Redis answers" not in str(error):
                raise
            return False
        return True

    def _check_elsewhere(self, where: str) -> None:
        if not self._answers():
            raise CommandFailed(
                f"REDIS_URL is {where}, which is not this machine, and nothing answers there: "
                "start Redis there",
                BAD_USE,
            )
        print(f"the Redis at {where} answers; it is not started from here")
