"""Further forms of the same tables, one file a form, each written from the DuckDB database."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from tmdb_scrapy.tables.formats.neo4j import write_neo4j
from tmdb_scrapy.tables.formats.sqlite import FILE as SQLITE_FILE
from tmdb_scrapy.tables.formats.sqlite import write_sqlite
from tmdb_scrapy.tables.formats.text import write_csv, write_jsonl
from tmdb_scrapy.tables.schema import Table

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

Write = Callable[["DuckDBPyConnection", Sequence[Table], Path], None]
"""Writes these tables of the current database into the directory of the set."""

FORMATS: Mapping[str, Write] = {
    "csv": write_csv,
    "jsonl": write_jsonl,
    "sqlite": write_sqlite,
    "neo4j": write_neo4j,
}
"""By the name that `--format` takes."""

BESIDE: Mapping[str, str] = {"sqlite": SQLITE_FILE}
"""Formats that are one file, with its name: it is found in DATA_DIR itself too."""
