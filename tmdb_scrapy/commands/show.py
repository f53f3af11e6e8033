"""``scrapy show KIND ID``: one record as it is in the merged file."""

from __future__ import annotations

import argparse
import sys

from scrapy.commands import ScrapyCommand

from tmdb_scrapy.arguments import argument
from tmdb_scrapy.commands.base import CommandFailed, TmdbCommand, kind_named
from tmdb_scrapy.kinds import KINDS, Kind
from tmdb_scrapy.queue import IdQueue, State
from tmdb_scrapy.records.index import HIGHEST_ID
from tmdb_scrapy.records.merged import find_line
from tmdb_scrapy.records.part import merged_file
from tmdb_scrapy.values import whole_number


class Command(TmdbCommand, ScrapyCommand):
    """Prints the line of one ID, at once from a file of any size. Needs no Redis; with one, an ID without a
    line has its state said."""

    def short_desc(self) -> str:
        return "Print the record of one ID"

    def syntax(self) -> str:
        return f"[options] {{{','.join(KINDS)}}} ID"

    def add_options(self, parser: argparse.ArgumentParser) -> None:
        super().add_options(parser)
        parser.add_argument(
            "kind", type=kind_named, metavar="KIND", help=f"kind of record: {', '.join(KINDS)}"
        )
        parser.add_argument("id", type=argument(whole_number(0, HIGHEST_ID)), metavar="ID", help="TMDb's ID")

    def execute(self, opts: argparse.Namespace) -> None:
        kind, tmdb_id = opts.kind, opts.id
        file = merged_file(self.config.data_dir, kind)
        try:
            line = find_line(file, tmdb_id)
        except FileNotFoundError:
            raise CommandFailed(f"{file} does not exist. Run first: scrapy merge {kind.name}") from None
        except OSError as error:
            raise CommandFailed(f"{error}. Run: scrapy merge {kind.name} --check") from None
        if line is None:
            raise CommandFailed(f"{file} has no {kind.singular} {tmdb_id}{self._state(kind, tmdb_id)}")
        sys.stdout.flush()
        sys.stdout.buffer.write(line)
        sys.stdout.buffer.flush()

    def _state(self, kind: Kind, tmdb_id: int) -> str:
        try:
            ledger = self.ask(kind, IdQueue.ledger)
        except CommandFailed:
            return ""
        state = ledger[tmdb_id : tmdb_id + 1].strip(b"\0")
        if not state:
            return "; Redis does not know this ID"
        known = {each.value: each.label for each in State}
        return f"; its state is {known.get(state, state.decode('latin-1'))}"
