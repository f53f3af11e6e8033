"""``scrapy tables [KIND…]``: merged files as tables."""

from __future__ import annotations

import argparse
import contextlib
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from scrapy.commands import ScrapyCommand

from tmdb_scrapy.commands.base import BAD_USE, CommandFailed, TmdbCommand, plural
from tmdb_scrapy.kinds import FIRST, KINDS
from tmdb_scrapy.open_files import advice
from tmdb_scrapy.records.index import SortedIndex, index_of
from tmdb_scrapy.records.merged import index_fits
from tmdb_scrapy.records.part import merged_file
from tmdb_scrapy.tables.building import Order, Report, build
from tmdb_scrapy.tables.database import DATABASE
from tmdb_scrapy.tables.engine import EngineFailed, NotInstalled
from tmdb_scrapy.tables.formats import BESIDE, FORMATS
from tmdb_scrapy.tables.generation import InUse, new_generation
from tmdb_scrapy.tables.origin import Origin, origin_of, read_origin
from tmdb_scrapy.tables.schema import in_order
from tmdb_scrapy.tables.source import BrokenLine, Source, unknown_age
from tmdb_scrapy.watch.bars import bytes_bar


class Command(TmdbCommand, ScrapyCommand):
    """Writes DATA_DIR/tables/*.parquet and DATA_DIR/tmdb.duckdb from DATA_DIR/KIND.jsonl, and needs nothing
    else: no Redis, no key, no network. The tables that were there stay until all new ones are complete. Where
    nothing has changed since, nothing is made anew."""

    def short_desc(self) -> str:
        return "Make tables of the merged files: Parquet, DuckDB, CSV, SQLite, Neo4j"

    def syntax(self) -> str:
        return "[options] [KIND…]"

    def add_options(self, parser: argparse.ArgumentParser) -> None:
        super().add_options(parser)
        parser.add_argument(
            "wanted",
            nargs="*",
            metavar="KIND",
            help=f"default: every kind with a merged file; {', '.join(TABLED)}",
        )
        parser.add_argument(
            "--format", dest="formats", action="append", default=[], choices=FORMATS, metavar="FORMAT",
            help=f"write this too, beside Parquet and DuckDB; may be repeated: {', '.join(FORMATS)}"
            " (default: those that were written last)",
        )  # fmt: skip

    def execute(self, opts: argparse.Namespace) -> None:
        with contextlib.ExitStack() as indexes:
            formats = dict.fromkeys(opts.formats or self._former_formats())
            self._make(self._order(opts.wanted, list(formats), indexes))

    def _former_formats(self) -> list[str]:
        """Of the tables that are there: whoever only brings them up to date wants them all."""
        former = read_origin(self.config.data_dir / "tables")
        return [chosen for chosen in former.formats if chosen in FORMATS] if former else []

    def _make(self, order: Order) -> None:
        links = [DATABASE, *(BESIDE[chosen] for chosen in order.formats if chosen in BESIDE)]
        data_dir = self.config.data_dir
        places = ", ".join(str(data_dir / name) for name in ("tables", *links))
        origin = _origin(order)
        if read_origin(data_dir / "tables") == origin and all((data_dir / link).exists() for link in links):
            print(f"{places}: nothing has changed since they were made")
            return
        try:
            with _refusals(), new_generation(data_dir, links) as target, _progress(order.sources) as report:
                rows = build(order, target, report)
                origin.write(target)
        except OSError as error:
            raise CommandFailed(f"{error}: {advice(error, 'is the disk full?')} {_UNTOUCHED}") from None
        for table, count in rows.items():
            print(f"{table:<22} {plural(count, 'rows'):>16}")
        print(places)

    def _order(self, wanted: Sequence[str], formats: Sequence[str], indexes: contextlib.ExitStack) -> Order:
        if unknown := [name for name in wanted if name not in TABLED]:
            raise CommandFailed(f"no such kind: {', '.join(unknown)}; there are {', '.join(TABLED)}", BAD_USE)
        found = {name: merged_file(self.config.data_dir, kind) for name, kind in TABLED.items()}
        chosen = [name for name in TABLED if name in wanted] or [n for n in TABLED if found[n].exists()]
        if missing := [name for name in chosen or [FIRST] if not found[name].exists()]:
            raise CommandFailed(
                f"{found[missing[0]]} does not exist; `scrapy merge {missing[0]}` writes it after a crawl"
            )
        return Order(
            sources=[
                Source(TABLED[name], found[name], indexes.enter_context(_ages(found[name])))
                for name in chosen
            ],
            unread=[kind for name, kind in TABLED.items() if name not in chosen],
            tables=in_order(dict.fromkeys(table for name in chosen for table in TABLED[name].tables)),
            formats=formats,
        )


TABLED = {name: kind for name, kind in KINDS.items() if kind.tables}
_UNTOUCHED = "The tables that were there before are untouched."


def _origin(order: Order) -> Origin:
    merged = [source.path for source in order.sources]
    return origin_of([*merged, *map(index_of, merged)], order.formats)


@contextlib.contextmanager
def _ages(merged: Path) -> Iterator[Callable[[int], int | None]]:
    """From an ID to when its record was answered, by the merged file's index if it has one of its own."""
    if not index_fits(merged):
        yield unknown_age
        return
    with SortedIndex(index_of(merged)) as index:

        def answered(record_id: int) -> int | None:
            entry = index.find(record_id)
            return entry.answered_ns or None if entry else None

        yield answered


@contextlib.contextmanager
def _refusals() -> Iterator[None]:
    """What can go wrong, as sentences."""
    try:
        yield
    except NotInstalled:
        raise CommandFailed(
            "the packages for tables are not installed: run `make tables`, or"
            " `pip install --constraint constraints.txt '.[tables]'`"
        ) from None
    except BrokenLine as error:
        raise CommandFailed(f"{error}. Merge again, or take the line out. {_UNTOUCHED}") from None
    except EngineFailed as error:
        raise CommandFailed(f"writing the tables failed: {error}. {_UNTOUCHED}") from None
    except InUse as error:
        raise CommandFailed(str(error)) from None


@contextlib.contextmanager
def _progress(sources: Sequence[Source]) -> Iterator[Report]:
    total = sum(source.path.stat().st_size for source in sources)
    with bytes_bar("reading", total) as bar:
        yield Report(
            read=bar.advance,
            writing=lambda table: bar.name(f"writing {table}"),
        )
