"""From merged files to one whole set of tables: Parquet files and a DuckDB database."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING

from tmdb_scrapy.kinds import Kind
from tmdb_scrapy.tables.database import DATABASE, filling
from tmdb_scrapy.tables.engine import FIND_TABLES, connect, name, quoted, refuse_patterns
from tmdb_scrapy.tables.formats import FORMATS
from tmdb_scrapy.tables.metadata import Span, metadata, spans_of
from tmdb_scrapy.tables.schema import Table
from tmdb_scrapy.tables.source import Source
from tmdb_scrapy.tables.staging import Staging

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

ROWS_A_GROUP = 30 * 2048
"""Of a Parquet file. With DuckDB's default, twice as many, long texts would not fit into the memory."""
READING_MEMORY = "512MB"
"""Of DuckDB's buffers while it packs what was read, for lines of 40 MB."""
SORTING_MEMORY = "256MB"
"""The same while it sorts, since the database that is filled beside it has its own."""


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
    refuse_patterns(target)
    working = target / "working"
    working.mkdir(mode=0o700)
    with connect(working / "sorting", READING_MEMORY) as records:
        spans = _read(order, Staging(records, working), records, report)
        records.execute(f"SET memory_limit = {quoted(SORTING_MEMORY)}")
        records.execute(files(__package__).joinpath("macros.sql").read_text(encoding="utf-8"))
        rows: dict[str, int] = {}
        with filling(target, working / "filling", metadata(spans.values())) as fill:
            for table in order.tables:
                report.writing(table.name)
                if not table.is_view:
                    rows[table.name] = _write_parquet(records, table, target, spans)
                fill(table, rows.get(table.name, 0))
            report.writing(DATABASE)
        _write_formats(order, records, target, report)
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


def _write_parquet(records: DuckDBPyConnection, table: Table, target: Path, spans: dict[str, Span]) -> int:
    """Returns how many rows there are."""
    parquet = quoted(str(target / f"{table.name}.parquet"))
    columns = ", ".join(_cast(column.name, column.type) for column in table.columns)
    about = metadata(spans_of(table, spans))
    pairs = ", ".join(f"{key}: {quoted(value)}" for key, value in about.items())
    key = ", ".join(map(name, table.key))
    written = records.execute(
        f"COPY (SELECT {columns} FROM ({table.select}) ORDER BY {key}) TO {parquet}"
        f" (FORMAT parquet, COMPRESSION zstd, ROW_GROUP_SIZE {ROWS_A_GROUP}, KV_METADATA {{{pairs}}})"
    ).fetchone()
    assert written is not None
    rows: int = written[0]
    return rows


def _write_formats(order: Order, records: DuckDBPyConnection, target: Path, report: Report) -> None:
    records.execute(f"ATTACH {quoted(str(target / DATABASE))} AS tmdb (READ_ONLY); {FIND_TABLES}")
    for chosen in order.formats:
        report.writing(chosen)
        FORMATS[chosen](records, order.tables, target)


def _cast(column: str, of: str) -> str:
    """A column in its type. Empty text says nothing, so it is NULL."""
    value = f"CAST({name(column)} AS {of})"
    return f"nullif({value}, '') AS {name(column)}" if of == "VARCHAR" else f"{value} AS {name(column)}"
