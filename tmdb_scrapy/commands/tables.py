"""``scrapy tables [KIND…]``: merged files as tables."""

from __future__ import annotations

import argparse
import contextlib
import os
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from scrapy.commands import ScrapyCommand

from tmdb_scrapy.commands.base import BAD_USE, CommandFailed, TmdbCommand, plural, what_to_do
from tmdb_scrapy.kinds import FIRST, KINDS, Kind
from tmdb_scrapy.records.index import SortedIndex, index_of
from tmdb_scrapy.records.merged import index_fits, merged_header
from tmdb_scrapy.records.part import merged_file
from tmdb_scrapy.tables.building import Order, Report, build
from tmdb_scrapy.tables.database import DATABASE
from tmdb_scrapy.tables.engine import EngineFailed, NotInstalled
from tmdb_scrapy.tables.formats import BESIDE, FORMATS
from tmdb_scrapy.tables.generation import InUse, is_published, new_generation
from tmdb_scrapy.tables.origin import origin_of, read_origin
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
        merged = self._merged(opts.wanted)
        formats = list(dict.fromkeys(opts.formats or self._former_formats()))
        links = [DATABASE, *(BESIDE[chosen] for chosen in formats if chosen in BESIDE)]
        data_dir = self.config.data_dir
        places = ", ".join(str(data_dir / name) for name in ("tables", *links))
        origin = origin_of([*merged.values(), *map(index_of, merged.values())], formats)
        if is_published(data_dir, links) and read_origin(data_dir / "tables") == origin:
            print(f"{places}: nothing has changed since they were made")
            return
        try:
            with _refusals(), contextlib.ExitStack() as opened:
                order = _order(merged, formats, opened)
                report = opened.enter_context(_progress(order.sources))
                target = opened.enter_context(new_generation(data_dir, links))
                rows = build(order, target, report)
                origin.write(target)
        except OSError as error:
            raise CommandFailed(f"{error}: {what_to_do(error)}; {_UNTOUCHED}") from None
        for table, count in rows.items():
            print(f"{table:<22} {plural(count, 'rows'):>16}")
        print(places)

    def _former_formats(self) -> list[str]:
        """Of the tables that are there: whoever only brings them up to date wants them all."""
        former = read_origin(self.config.data_dir / "tables")
        return [chosen for chosen in former.formats if chosen in FORMATS] if former else []

    def _merged(self, wanted: Sequence[str]) -> dict[str, Path]:
        """The merged files of the kinds that are wanted, which are all that there are if none is named."""
        if unknown := [name for name in wanted if name not in TABLED]:
            raise CommandFailed(f"no such kind: {', '.join(unknown)}; there are {', '.join(TABLED)}", BAD_USE)
        found = {name: merged_file(self.config.data_dir, kind) for name, kind in TABLED.items()}
        chosen = [name for name in TABLED if name in wanted] or [n for n in TABLED if found[n].exists()]
        if missing := [name for name in chosen or [FIRST] if not found[name].exists()]:
            raise CommandFailed(
                f"{found[missing[0]]} does not exist; `scrapy merge {missing[0]}` writes it after a crawl"
            )
        return {name: found[name] for name in chosen}


TABLED = {name: kind for name, kind in KINDS.items() if kind.tables}
_UNTOUCHED = "the tables that were there before are untouched"


def _order(merged: Mapping[str, Path], formats: Sequence[str], opened: contextlib.ExitStack) -> Order:
    return Order(
        sources=[opened.enter_context(_source(TABLED[name], path)) for name, path in merged.items()],
        unread=[kind for name, kind in TABLED.items() if name not in merged],
        tables=in_order(dict.fromkeys(table for name in merged for table in TABLED[name].tables)),
        formats=formats,
    )


@contextlib.contextmanager
def _source(kind: Kind, merged: Path) -> Iterator[Source]:
    """With when its records were answered, by the merged file's index if it has one of its own."""
    with merged.open("rb", buffering=1 << 20) as lines:
        if not index_fits(merged):
            yield Source(kind, merged, lines)
            return
        with SortedIndex(index_of(merged)) as index:
            own = index.header[:2] == merged_header(os.fstat(lines.fileno()))[:2]

            def answered(record_id: int) -> int | None:
                entry = index.find(record_id)
                return entry.answered_ns or None if entry else None

            yield Source(kind, merged, lines, answered if own else unknown_age)


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
        raise CommandFailed(f"{error}. Merge again, or take the line out; {_UNTOUCHED}") from None
    except EngineFailed as error:
        raise CommandFailed(f"writing the tables failed: {error}; {_UNTOUCHED}") from None
    except InUse as error:
        raise CommandFailed(str(error)) from None


@contextlib.contextmanager
def _progress(sources: Sequence[Source]) -> Iterator[Report]:
    total = sum(os.fstat(source.lines.fileno()).st_size for source in sources)
    with bytes_bar("reading", total) as bar:
        yield Report(
            read=bar.advance,
            writing=lambda table: bar.name(f"writing {table}"),
        )
