"""The DuckDB database of a set: the tables with their keys, their meanings, the views."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from tmdb_scrapy.tables.engine import FIND_TABLES, connect, name, quoted
from tmdb_scrapy.tables.schema import Table

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

DATABASE = "tmdb.duckdb"
STORAGE_VERSION = "v1.2.0"
"""The format of the file, which every DuckDB from 1.2 on opens. In an earlier one DuckDB would rewrite all of
its indexes each time that it writes a part of them."""
WRITTEN_AFTER = "64MB"
"""So many bytes of rows are added before DuckDB writes the indexes to the file."""
MEMORY_MB = 256
"""For a group of rows with texts of a thousand letters."""
BYTES_A_ROW = 32
"""Of memory besides, for a table's indexes while it is filled: every few rows change those of its foreign
keys from one end to the other, so they have to fit. Measured with three indexes."""
ROWS_AT_ONCE = 122_880
"""Rows that a transaction adds: one of DuckDB's own groups of rows, which goes into the file at once."""

Fill = Callable[[Table, int], None]
"""Takes a table whose Parquet file has so many rows, and returns at once."""


@contextmanager
def filling(target: Path, temporary: Path, about: Mapping[str, str]) -> Iterator[Fill]:
    """A database in the directory `target` that is filled from the Parquet files there, table by table, by a
    thread of its own: DuckDB adds to indexes on one core, so that the next files can be written on another.
    Tables come after those that they refer to. `about` becomes the table `metadata`.

    The database is whole when the block has ended well. Raises what `connect` does.
    """
    with connect(temporary, _memory_for(0)) as database, ThreadPoolExecutor(1) as thread:
        _begin(database, target / DATABASE, about)
        filled: list[Future[None]] = []

        def fill(table: Table, rows: int) -> None:
            filled.append(thread.submit(_fill, database, table, target / f"{table.name}.parquet", rows))
            _raise_errors(one for one in filled if one.done())

        try:
            yield fill
            _raise_errors(filled)
        except BaseException:
            thread.shutdown(wait=False, cancel_futures=True)
            database.interrupt()
            raise
        database.execute("CHECKPOINT tmdb; USE memory; DETACH tmdb")


def _raise_errors(filled: Iterable[Future[None]]) -> None:
    for one in filled:
        one.result()


def _begin(database: DuckDBPyConnection, path: Path, about: Mapping[str, str]) -> None:
    # Without a log: a file that was not written to its end is thrown away with its directory.
    options = f"STORAGE_VERSION {quoted(STORAGE_VERSION)}, RECOVERY_MODE no_wal_writes"
    database.execute(f"ATTACH {quoted(str(path))} AS tmdb ({options}); {FIND_TABLES}")
    database.execute(f"SET checkpoint_threshold = {quoted(WRITTEN_AFTER)}")
    database.execute("CREATE TABLE metadata (key VARCHAR PRIMARY KEY, value VARCHAR)")
    database.executemany("INSERT INTO metadata VALUES (?, ?)", [list(pair) for pair in about.items()])


def _memory_for(rows: int) -> str:
    return f"{MEMORY_MB + rows * BYTES_A_ROW // 10**6}MB"


def _fill(database: DuckDBPyConnection, table: Table, parquet: Path, rows: int) -> None:
    database.execute(f"SET memory_limit = {quoted(_memory_for(rows))}")
    database.execute(table.create)
    for first in range(0, rows, ROWS_AT_ONCE):
        database.execute(
            f"INSERT INTO {name(table.name)} SELECT * FROM {quoted(str(parquet))}"
            f" WHERE file_row_number >= {first} AND file_row_number < {first + ROWS_AT_ONCE}"
        )
    _describe(database, table)


def _describe(database: DuckDBPyConnection, table: Table) -> None:
    """The data dictionary goes along in the database."""
    what = "VIEW" if table.is_view else "TABLE"
    comments = [f"COMMENT ON {what} {name(table.name)} IS {quoted(table.about)}"] + [
        f"COMMENT ON COLUMN {name(table.name)}.{name(column.name)} IS {quoted(column.about)}"
        for column in table.columns
        if column.about
    ]
    for comment in comments:
        database.execute(comment)
