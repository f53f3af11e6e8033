"""``scrapy status [KIND…]``: how the crawl stands, from Redis alone."""

from __future__ import annotations

import argparse
import time
from collections.abc import Iterator
from typing import TYPE_CHECKING

from scrapy.commands import ScrapyCommand

from tmdb_scrapy.commands.base import CommandFailed, TmdbCommand, add_kinds, named
from tmdb_scrapy.kinds import KINDS, Kind
from tmdb_scrapy.printable import printable
from tmdb_scrapy.queue import IdQueue, Ledger, Snapshot, State

# Scrapy imports every command to run one: what draws is imported where it does.
if TYPE_CHECKING:
    from rich.console import Console, RenderableType

INTERVAL_S = 2.0
WIDTH_OF_A_PIPE = 160


class Command(TmdbCommand, ScrapyCommand):
    """Counts, rates, and a line a worker. Needs no SSH: it works wherever Redis is reached."""

    def syntax(self) -> str:
        return f"[options] [{'|'.join(KINDS)}]"

    def short_desc(self) -> str:
        return "Show how the crawl stands"

    def add_options(self, parser: argparse.ArgumentParser) -> None:
        super().add_options(parser)
        add_kinds(parser, "*", f"kinds of records: {', '.join(KINDS)} (default: those that were seeded)")
        parser.add_argument("--watch", action="store_true", help="refresh in place until Ctrl-C")

    def execute(self, opts: argparse.Namespace) -> None:
        from rich.live import Live

        from tmdb_scrapy.watch.status import render

        console = _console()
        looked = self._look(opts.kinds)
        picture = render(looked, time.time())
        if not opts.watch:
            console.print(picture)
            for name, snapshot in looked.items():
                if snapshot.of(State.STALE):
                    self._list_stale(console, KINDS[name])
        elif console.is_terminal:
            with Live(picture, console=console, auto_refresh=False) as live:
                for picture in self._pictures(opts.kinds):
                    live.update(picture, refresh=True)
        else:
            console.print(picture)
            for picture in self._pictures(opts.kinds):
                console.print(picture)

    def _list_stale(self, console: Console, kind: Kind) -> None:
        stale = Ledger(kind, self.ask(kind, IdQueue.ledger)).ids(State.STALE)
        console.print(f"stale: {named(kind, stale)}; all: scrapy ids {kind.name} stale", highlight=False)

    def _pictures(self, kinds: list[Kind]) -> Iterator[RenderableType]:
        """One every `INTERVAL_S`, whatever becomes of Redis meanwhile."""
        from rich.text import Text

        from tmdb_scrapy.watch.status import render

        while True:
            time.sleep(INTERVAL_S)
            try:
                yield render(self._look(kinds), time.time())
            except CommandFailed as error:
                yield Text(printable(str(error)), style="red")

    def _look(self, kinds: list[Kind]) -> dict[str, Snapshot]:
        looked = self.look(kinds or list(KINDS.values()))
        return looked if kinds else {name: each for name, each in looked.items() if each.total}


def _console() -> Console:
    from rich.console import Console

    console = Console()
    return console if console.is_terminal else Console(width=WIDTH_OF_A_PIPE)
