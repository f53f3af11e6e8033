"""``scrapy demo``: the whole job against the sandbox, to see it work without a key or a network."""

from __future__ import annotations

import argparse
import contextlib
import os
import secrets
import shutil
from collections.abc import Mapping, Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

from scrapy.commands import ScrapyCommand

from tmdb_scrapy import arguments
from tmdb_scrapy.commands.base import BAD_USE, INTERRUPTED, add_kinds, complain, interruptible, unexpected
from tmdb_scrapy.config import Config
from tmdb_scrapy.kinds import FIRST, KINDS, Kind
from tmdb_scrapy.local.redis_binary import RedisServerError
from tmdb_scrapy.local.redis_server import RedisServer
from tmdb_scrapy.local.workers import run_scrapy
from tmdb_scrapy.tables.database import DATABASE
from tmdb_scrapy.watch.report.page import NAME as REPORT

# Scrapy imports every command to run one: the sandbox is imported where it is started.
if TYPE_CHECKING:
    from tmdb_scrapy.sandbox.server.process import SandboxProcess

DIRECTORY = Path(".demo")
QUESTION = """\
SELECT name AS genre, round(median(revenue_usd / budget_usd), 1) AS times_budget, count(*) AS movies
FROM movies JOIN movie_genres USING (movie_id) JOIN genres USING (genre_id)
WHERE budget_usd > 0 AND revenue_usd > 0
GROUP BY name ORDER BY times_budget DESC, genre LIMIT 5
"""


class Command(ScrapyCommand):
    """Starts a sandbox and a Redis of its own under .demo/, runs `scrapy job KIND` with two workers, ends
    both, makes tables and asks them something. Ignores .env; leaves the result in .demo/data."""

    requires_project = True
    requires_crawler_process = False

    def short_desc(self) -> str:
        return "Show the whole job on made-up movies: no key, no network"

    def add_options(self, parser: argparse.ArgumentParser) -> None:
        super().add_options(parser)
        add_kinds(parser, "*", f"kinds of records (default: {FIRST})")
        parser.add_argument(
            "--records",
            "--movies",
            type=arguments.count,
            default=3000,
            metavar="N",
            help="how many (default: 3000)",
        )

    def run(self, args: list[str], opts: argparse.Namespace) -> None:
        if args:
            self.exitcode = complain(unexpected(args), BAD_USE)
            return
        from tmdb_scrapy.sandbox.server.process import SandboxError, SandboxProcess

        shutil.rmtree(DIRECTORY, ignore_errors=True)
        DIRECTORY.mkdir(mode=0o700, exist_ok=True)
        try:
            with interruptible(), contextlib.ExitStack() as stack:
                kinds = opts.kinds or [KINDS[FIRST]]
                sizes = [word for kind in kinds for word in (f"--{kind.name}", str(opts.records))]
                sandbox = SandboxProcess([*sizes, "--latency-ms", "50"])
                stack.enter_context(sandbox)
                redis = RedisServer.on_free_port(DIRECTORY / "redis")
                stack.callback(redis.stop)
                print(
                    f"sandbox at {sandbox.url}, a Redis on port {redis.port}, "
                    f"{', '.join(kind.count(opts.records) for kind in kinds)}, all made up",
                    flush=True,
                )
                environment = os.environ | _environment(sandbox, redis)
                self.exitcode = run_scrapy(
                    "job", *(kind.name for kind in kinds), environment=environment
                ) or _tables(environment, kinds)
                print(f"report   {DIRECTORY / 'data' / REPORT}", flush=True)
        except (RedisServerError, SandboxError) as error:
            self.exitcode = complain(str(error))
        except KeyboardInterrupt:
            self.exitcode = complain("interrupted", INTERRUPTED)


def _tables(environment: Mapping[str, str], kinds: Sequence[Kind]) -> int:
    """Make tables of what was collected, and ask them something; returns an exit code."""
    if find_spec("duckdb") is None:
        print("no tables: their packages are not installed, `make tables` does that")
        return 0
    tabled = [kind.name for kind in kinds if kind.tables]
    if not tabled:
        return 0
    code = run_scrapy("tables", *tabled, environment=environment)
    if code or KINDS[FIRST] not in kinds:
        return code
    return _ask(Path(environment["DATA_DIR"]) / DATABASE)


def _ask(database: Path) -> int:
    import duckdb

    print(f"\nWhich genres return their budget?\n\n{QUESTION}")
    with duckdb.connect(str(database), read_only=True) as opened:
        found = opened.execute(QUESTION)
        rows = [[column[0] for column in found.description], *found.fetchall()]
    for row in rows:
        print("".join(f"{value!s:>16}" for value in row))
    print("\nMore questions: docs/questions.md")
    return 0


def _environment(sandbox: SandboxProcess, redis: RedisServer) -> dict[str, str]:
    return Config.defaults() | {
        "TMDB_API_KEY": secrets.token_hex(16),
        "TMDB_API_URL": sandbox.api_url,
        "TMDB_EXPORT_URL": sandbox.export_url,
        "REDIS_URL": str(redis.url),
        "DATA_DIR": str(DIRECTORY / "data"),
        "PROCESSES": "2",
        "THREADS": "40",
        "RATE_LIMIT": "400",
    }
