"""``scrapy status [movies|people]``: how the crawl stands, from Redis alone."""

from __future__ import annotations

import argparse
import time
from collections.abc import Iterator

from rich.console import Console, RenderableType
from rich.live import Live
from rich.text import Text

from tmdb_scrapy.command import CommandFailed, TmdbCommand
from tmdb_scrapy.queue import KINDS, IdQueue, Progress
from tmdb_scrapy.status import render

INTERVAL_S = 2.0
WIDTH_OF_A_PIPE = 160


class Command(TmdbCommand):
    """Counts, rates, and a line a worker. Needs no SSH: it works wherever Redis is reached."""

    kinds = ()

    def syntax(self) -> str:
        return "[options] [movies|people]"

    def short_desc(self) -> str:
        return "Show how the crawl stands"

    def add_options(self, parser: argparse.ArgumentParser) -> None:
        super().add_options(parser)
        parser.add_argument(
            "kind", nargs="?", choices=KINDS, help="kind of record (default: those that were seeded)"
        )
        parser.add_argument("--watch", action="store_true", help="refresh in place until Ctrl-C")

    def execute(self, opts: argparse.Namespace) -> None:
        console = _console()
        picture = render(self._look(opts.kind), time.time())
        if not opts.watch:
            console.print(picture)
        elif console.is_terminal:
            with Live(picture, console=console, auto_refresh=False) as live:
                for picture in self._pictures(opts.kind):
                    live.update(picture, refresh=True)
        else:
            console.print(picture)
            for picture in self._pictures(opts.kind):
                console.print(picture)

    def _pictures(self, kind: str | None) -> Iterator[RenderableType]:
        """One every `INTERVAL_S`, whatever becomes of Redis meanwhile."""
        while True:
            time.sleep(INTERVAL_S)
            try:
                yield render(self._look(kind), time.time())
            except CommandFailed as error:
                yield Text(str(error), style="red")

    def _look(self, kind: str | None) -> dict[str, Progress]:
        looked = {name: self.ask(name, IdQueue.progress) for name in ([kind] if kind else KINDS)}
        seeded = {name: progress for name, progress in looked.items() if progress.total}
        return looked if kind else seeded


def _console() -> Console:
    console = Console()
    return console if console.is_terminal else Console(width=WIDTH_OF_A_PIPE)
