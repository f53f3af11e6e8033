"""From merged files to one whole set of tables: Parquet files and a DuckDB database."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING

from tmdb_scrapy.kinds import Kind
from tmdb_scrapy.tables.engine import FIND_TABLES, connect, name, quoted
from tmdb_scrapy.tables.formats import FORMATS
from tmdb_scrapy.tables.metadata import Span, metadata, spans_of
from tmdb_scrapy.tables.schema import Table
from tmdb_scrapy.tables.source import Source
from tmdb_scrapy.tables.staging import Staging

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

DATABASE = "tmdb.duckdb"
STORAGE_VERSION = "v1.0.0"
"""The format of the database file, which every DuckDB from 1.0 on opens."""
ROWS_AT_ONCE = 2 * 122_880
"""Rows that a transaction adds to the database. From DuckDB's own groups of rows on, they go into the file at
once instead of into its log first: that takes two thirds of the time. The keys are indexes, and those of many
more rows at once would not fit into the memory."""


@dataclass(frozen=True, slots=True)
class Report:
    """Hears how far it is."""

    read: Callable[[int], None]
    """Called with the bytes read since the last call."""
    writing: Callable[[str], None]
    """Called with the name of each table when it is begun."""


@dataclass(frozen=True, slots=True)
class Order:
    """What is to be written."""

    sources: Sequence[Source]
    unread: Sequence[Kind]
    """The other kinds, whose records the tables do without."""
    tables: Sequence[Table]
    formats: Sequence[str] = ()
    """Of `FORMATS`, besides Parquet and DuckDB."""


def build(order: Order, target: Path, report: Report) -> dict[str, int]:
    """Write the tables into the empty directory `target`; returns how many rows each has.

    Raises `BrokenLine`, `NotInstalled`, and `EngineFailed` or `OSError`, for example when the disk is full.
    """
    working = target / "working"
    working.mkdir(mode=0o700)
    with connect(working) as database:
        spans = _read(order, Staging(database, working), database, report)
        database.execute(files(__package__).joinpath("macros.sql").read_text(encoding="utf-8"))
        writer = _Writer(database, target, spans)
        rows = writer.write(order.tables, report.writing)
        for chosen in order.formats:
            report.writing(chosen)
            FORMATS[chosen](database, order.tables, target)
        writer.close()
    shutil.rmtree(working)
    return rows


def _read(order: Order, staging: Staging, database: DuckDBPyConnection, report: Report) -> dict[str, Span]:
    for kind in order.unread:
        staging.leave_empty(kind)
    for source in order.sources:
        staging.read(source, report.read)
    return {source.kind.name: _span(database, source) for source in order.sources}


def _span(database: DuckDBPyConnection, source: Source) -> Span:
    found = database.execute(
        f"SELECT min(answered), max(answered) FROM records.{name(source.kind.name)}"
    ).fetchone()
    assert found is not None
    return Span.of(source.path.name, *found)


class _Writer:
    def __init__(self, database: DuckDBPyConnection, target: Path, spans: dict[str, Span]) -> None:
        self._database = database
        self._target = target
        self._spans = spans

    def write(self, tables: Sequence[Table], report: Callable[[str], None]) -> dict[str, int]:
        attached = (
            f"{quoted(str(self._target / DATABASE))} AS tmdb (STORAGE_VERSION {quoted(STORAGE_VERSION)})"
        )
        self._database.execute(f"ATTACH {attached}; {FIND_TABLES}")
        rows: dict[str, int] = {}
        for table in tables:
            report(table.name)
            self._database.execute(table.create)
            if not table.is_view:
                rows[table.name] = self._fill(table)
            self._describe(table)
        self._about()
        return rows

    def close(self) -> None:
        """Have all of it in the one file."""
        self._database.execute("CHECKPOINT tmdb; USE memory; DETACH tmdb")

    def _fill(self, table: Table) -> int:
        """Write the Parquet file, then the same rows into the database; returns how many."""
        parquet = quoted(str(self._target / f"{table.name}.parquet"))
        columns = ", ".join(_cast(column.name, column.type) for column in table.columns)
        about = metadata(spans_of(table, self._spans))
        pairs = ", ".join(f"{key}: {quoted(value)}" for key, value in about.items())
        self._database.execute(
            f"COPY (SELECT {columns} FROM ({table.select}) ORDER BY {', '.join(map(name, table.key))})"
            f" TO {parquet} (FORMAT parquet, COMPRESSION zstd, KV_METADATA {{{pairs}}})"
        )
        counted = self._database.execute(f"SELECT count(*) FROM {parquet}").fetchone()
        assert counted is not None
        rows: int = counted[0]
        for first in range(0, rows, ROWS_AT_ONCE):
            self._database.execute(
                f"INSERT INTO {name(table.name)} SELECT * FROM {parquet}"
                f" WHERE file_row_number >= {first} AND file_row_number < {first + ROWS_AT_ONCE}"
            )
        return rows

    def _describe(self, table: Table) -> None:
        """The data dictionary goes along in the database."""
        what = "VIEW" if table.is_view else "TABLE"
        comments = [f"COMMENT ON {what} {name(table.name)} IS {quoted(table.about)}"] + [
            f"COMMENT ON COLUMN {name(table.name)}.{name(column.name)} IS {quoted(column.about)}"
            for column in table.columns
            if column.about
        ]
        for comment in comments:
            self._database.execute(comment)

    def _about(self) -> None:
        self._database.execute("CREATE TABLE metadata (key VARCHAR PRIMARY KEY, value VARCHAR)")
        about = metadata(self._spans.values())
        self._database.executemany(
            "INSERT INTO metadata VALUES (?, ?)", [list(pair) for pair in about.items()]
        )


def _cast(column: str, of: str) -> str:
    """A column in its type. Empty text says nothing, so it is NULL."""
    value = f"CAST({name(column)} AS {of})"
    return f"nullif({value}, '') AS {name(column)}" if of == "VARCHAR" else f"{value} AS {name(column)}"
