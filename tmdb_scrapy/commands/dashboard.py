"""``scrapy dashboard``: a page that shows the crawl, and its figures for Prometheus."""

from __future__ import annotations

import argparse
import os
from importlib.util import find_spec

from scrapy.commands import ScrapyCommand

from tmdb_scrapy.commands.base import CommandFailed, TmdbCommand
from tmdb_scrapy.config import Config
from tmdb_scrapy.local import dashboard


class Command(TmdbCommand, ScrapyCommand):
    """Needs nothing but Redis: it runs on any machine that reaches it, and nothing waits for it.

    Exits with 0 when it was told to stop, 1 when it cannot serve, 2 when it must not be served so."""

    def short_desc(self) -> str:
        return "Serve a page that shows the crawl, and /metrics for Prometheus"

    def add_options(self, parser: argparse.ArgumentParser) -> None:
        super().add_options(parser)
        dashboard.add_options(parser)

    def execute(self, opts: argparse.Namespace) -> None:
        if find_spec("prometheus_client") is None or find_spec("jinja2") is None:
            raise CommandFailed("its packages are not installed: `make dashboard` does that")
        assert self.settings is not None
        dashboard.become(opts, os.environ | Config.given(self.settings))
