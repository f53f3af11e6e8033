"""`scrapy sandbox`: a stand-in TMDb on this machine."""

from __future__ import annotations

import argparse
import sys

from scrapy.commands import ScrapyCommand

from tmdb_scrapy.commands.base import BAD_USE, FAILED, complain, unexpected

# Scrapy imports every command to run one: the sandbox is imported where it is used, since a worker should
# not wait a quarter of a second for a web server that it does not start.


class Command(ScrapyCommand):
    """Needs no .env: it must run where nothing is configured yet.

    Exits with 0 when it was told to stop, 1 when it cannot serve, 2 when it was called wrongly.
    """

    requires_project = True
    requires_crawler_process = False

    def short_desc(self) -> str:
        return "Serve a stand-in TMDb: API, daily export, rate limits and faults"

    def long_desc(self) -> str:
        return f"{self.short_desc()}. Prints its URL and serves until it is interrupted."

    def add_options(self, parser: argparse.ArgumentParser) -> None:
        super().add_options(parser)
        from tmdb_scrapy.sandbox.server.options import add_options

        add_options(parser)

    def run(self, args: list[str], opts: argparse.Namespace) -> None:
        if args:
            self.exitcode = complain(unexpected(args), BAD_USE)
            return
        from tmdb_scrapy.sandbox.server.server import serve

        try:
            serve(opts)
        except (ValueError, OSError) as problem:
            print(f"sandbox: {problem}", file=sys.stderr)
            self.exitcode = FAILED
