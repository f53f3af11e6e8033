"""``scrapy ids KIND STATE``: the IDs in a state, one a line, as ``scrapy retry --ids`` takes them."""

from __future__ import annotations

import argparse

from scrapy.commands import ScrapyCommand

from tmdb_scrapy.commands.base import TmdbCommand, kind_named
from tmdb_scrapy.kinds import KINDS
from tmdb_scrapy.queue import IdQueue, Ledger, State


class Command(TmdbCommand, ScrapyCommand):
    """Prints nothing but IDs, ascending."""

    def syntax(self) -> str:
        return f"[options] {{{','.join(KINDS)}}} {{{','.join(state.label for state in State)}}}"

    def short_desc(self) -> str:
        return "Print the IDs in a state, one a line"

    def add_options(self, parser: argparse.ArgumentParser) -> None:
        super().add_options(parser)
        parser.add_argument("kind", type=kind_named, metavar="KIND", help=f"one of {', '.join(KINDS)}")
        parser.add_argument("state", choices=[state.label for state in State], help="how the IDs ended")

    def execute(self, opts: argparse.Namespace) -> None:
        ledger = Ledger(opts.kind, self.ask(opts.kind, IdQueue.ledger))
        for tmdb_id in ledger.ids(State[opts.state.upper()]):
            print(tmdb_id)
