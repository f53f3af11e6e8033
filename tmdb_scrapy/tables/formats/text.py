"""CSV and JSON lines: a file a table, in the order of its key, and what they say about themselves."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from tmdb_scrapy.tables.engine import name, quoted
from tmdb_scrapy.tables.schema import Table

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

ABOUT = "metadata.json"
"""CSV and JSON lines have no place for what a Parquet file says in its metadata; it lies beside them."""


def write_csv(database: DuckDBPyConnection, tables: Sequence[Table], target: Path) -> None:
    """RFC 4180 in UTF-8, with a line of names; NULL is nothing between two commas, and no text is empty."""
    _write(database, tables, target / "csv", "FORMAT csv, HEADER true")


def write_jsonl(database: DuckDBPyConnection, tables: Sequence[Table], target: Path) -> None:
    """One object a line, NULL as null."""
    _write(database, [table for table in tables if not table.is_view], target / "jsonl", "FORMAT json")


def _write(database: DuckDBPyConnection, tables: Sequence[Table], directory: Path, options: str) -> None:
    directory.mkdir(mode=0o755)
    suffix = directory.name
    for table in tables:
        file = quoted(str(directory / f"{table.name}.{suffix}"))
        order = ", ".join(map(name, table.key)) or "id"
        database.execute(f"COPY (SELECT * FROM {name(table.name)} ORDER BY {order}) TO {file} ({options})")
    about = dict(database.execute("SELECT key, value FROM metadata").fetchall())
    (directory / ABOUT).write_bytes(msgspec.json.format(msgspec.json.encode(about)) + b"\n")
