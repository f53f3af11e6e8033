"""``scrapy demo``: the whole job against the sandbox, to see it work without a key or a network."""

from __future__ import annotations

import argparse
import contextlib
import os
import secrets
import shutil
from pathlib import Path

from scrapy.commands import ScrapyCommand

from tmdb_scrapy.commands.base import BAD_USE, INTERRUPTED, complain, interruptible, unexpected
from tmdb_scrapy.config import Config
from tmdb_scrapy.local.redis_server import RedisServer, RedisServerError
from tmdb_scrapy.local.workers import run_scrapy
from tmdb_scrapy.sandbox.server.process import SandboxError, SandboxProcess

DIRECTORY = Path(".demo")


class Command(ScrapyCommand):
    """Starts a sandbox and a Redis of its own under .demo/, runs `scrapy job movies` with two workers, and
    ends both. Ignores .env; leaves the result in .demo/data/movies.jsonl."""

    requires_project = True
    requires_crawler_process = False

    def short_desc(self) -> str:
        return "Show the whole job on made-up movies: no key, no network"

    def add_options(self, parser: argparse.ArgumentParser) -> None:
        super().add_options(parser)
        parser.add_argument(
            "--movies", type=int, default=3000, metavar="N", help="how many movies (default: 3000)"
        )

    def run(self, args: list[str], opts: argparse.Namespace) -> None:
        if args:
            self.exitcode = complain(unexpected(args), BAD_USE)
            return
        shutil.rmtree(DIRECTORY, ignore_errors=True)
        try:
            with interruptible(), contextlib.ExitStack() as stack:
                sandbox = SandboxProcess(["--movies", str(opts.movies), "--latency-ms", "50"])
                stack.enter_context(sandbox)
                redis = RedisServer.on_free_port(DIRECTORY / "redis")
                stack.callback(redis.stop)
                print(
                    f"sandbox at {sandbox.url}, a Redis on port {redis.port}, {opts.movies:,} made-up movies",
                    flush=True,
                )
                self.exitcode = run_scrapy(
                    "job", "movies", environment=os.environ | _environment(sandbox, redis)
                )
        except (RedisServerError, SandboxError) as error:
            self.exitcode = complain(str(error))
        except KeyboardInterrupt:
            self.exitcode = complain("interrupted", INTERRUPTED)


def _environment(sandbox: SandboxProcess, redis: RedisServer) -> dict[str, str]:
    return Config.defaults() | {
        "TMDB_API_KEY": secrets.token_hex(16),
        "TMDB_API_URL": sandbox.api_url,
        "TMDB_EXPORT_URL": sandbox.export_url,
        "REDIS_URL": f"redis://127.0.0.1:{redis.port}/0",
        "DATA_DIR": str(DIRECTORY / "data"),
        "PROCESSES": "2",
        "THREADS": "40",
        "RATE_LIMIT": "400",
    }
