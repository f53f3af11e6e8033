"""``scrapy dashboard``: a page that shows the crawl, and its figures for Prometheus."""

from __future__ import annotations

import argparse
import asyncio
from functools import partial
from importlib.util import find_spec
from pathlib import Path

from scrapy.commands import ScrapyCommand

from tmdb_scrapy.commands.base import BAD_USE, CommandFailed, TmdbCommand
from tmdb_scrapy.local.schedule import unit_directory
from tmdb_scrapy.local.scheduled import scheduled
from tmdb_scrapy.values import whole_number

HOST = "127.0.0.1"
PORT = 8632

# Scrapy imports every command to run one: the web server is imported where it is used.


class Command(TmdbCommand, ScrapyCommand):
    """Needs nothing but Redis: it runs on any machine that reaches it, and nothing waits for it.

    Exits with 0 when it was told to stop, 1 when it cannot serve, 2 when it must not be served so."""

    def short_desc(self) -> str:
        return "Serve a page that shows the crawl, and /metrics for Prometheus"

    def add_options(self, parser: argparse.ArgumentParser) -> None:
        super().add_options(parser)
        parser.add_argument(
            "--host",
            default=HOST,
            help=f"listen there (default: {HOST}); beyond this machine it needs DASHBOARD_TOKEN",
        )
        parser.add_argument(
            "--port", type=whole_number(0, 65_535), default=PORT, help=f"default: {PORT}; 0 for a free one"
        )
        parser.add_argument(
            "--actions",
            action="store_true",
            help="who has DASHBOARD_TOKEN may pause, resume and requeue",
        )

    def execute(self, opts: argparse.Namespace) -> None:
        if find_spec("prometheus_client") is None or find_spec("jinja2") is None:
            raise CommandFailed("its packages are not installed: `make dashboard` does that")
        from tmdb_scrapy.watch.dashboard.doors import Doors
        from tmdb_scrapy.watch.dashboard.server import Dashboard, serve

        doors = Doors(opts.host, self.config.dashboard_token, opts.actions)
        if problem := doors.problem():
            raise CommandFailed(problem, BAD_USE)
        schedule = partial(scheduled, Path.cwd(), unit_directory())
        dashboard = Dashboard(self.config, doors, schedule)
        try:
            asyncio.run(serve(dashboard, opts.host, opts.port, _announce))
        except OSError as error:
            why = error.strerror or error
            raise CommandFailed(f"port {opts.port} of {opts.host}: {why}; try another --port") from None


def _announce(url: str) -> None:
    print(f"dashboard at {url}", flush=True)
