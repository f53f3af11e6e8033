"""SQLite: one file with the same tables and keys."""

from __future__ import annotations

import errno
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from tmdb_scrapy.tables.engine import name
from tmdb_scrapy.tables.schema import Column, Table

if TYPE_CHECKING:
    import sqlite3

    from duckdb import DuckDBPyConnection

FILE = "tmdb.sqlite"
ROWS_AT_ONCE = 10_000
_TYPES = {"BIGINT": "INTEGER", "INTEGER": "INTEGER", "DOUBLE": "REAL", "BOOLEAN": "INTEGER"}
"""Text for the rest. SQLite has no dates: they are text as ISO 8601 writes them, and true is 1."""


def write_sqlite(database: DuckDBPyConnection, tables: Sequence[Table], target: Path) -> None:
    """Raises `OSError` when the disk refuses."""
    # By the standard library, since DuckDB would fetch its own writer from the network; only few want it.
    import sqlite3

    connection = sqlite3.connect(target / FILE)
    try:
        # A file that was not written to its end is thrown away with its directory: no journal is needed.
        connection.executescript(
            "PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF; PRAGMA user_version = 1"
        )
        for table in tables:
            if not table.is_view:
                _copy(database, connection, table)
        about = database.execute("SELECT key, value FROM metadata").fetchall()
        connection.execute("CREATE TABLE metadata (key TEXT PRIMARY KEY, value TEXT) WITHOUT ROWID")
        connection.executemany("INSERT INTO metadata VALUES (?, ?)", about)
        connection.commit()
    except sqlite3.Error as error:
        number = errno.ENOSPC if error.sqlite_errorcode == sqlite3.SQLITE_FULL else errno.EIO
        raise OSError(number, str(error), str(target / FILE)) from error
    finally:
        connection.close()


def _copy(database: DuckDBPyConnection, connection: sqlite3.Connection, table: Table) -> None:
    connection.execute(_create(table))
    columns = ", ".join(_value(column) for column in table.columns)
    order = ", ".join(map(name, table.key))
    rows = database.execute(f"SELECT {columns} FROM {name(table.name)} ORDER BY {order}")
    insert = f"INSERT INTO {name(table.name)} VALUES ({', '.join('?' * len(table.columns))})"
    while some := rows.fetchmany(ROWS_AT_ONCE):
        connection.executemany(insert, some)
    for column in table.columns:
        if column.refers_to and column.name != table.key[0]:
            index = name(f"{table.name}_{column.name}")
            connection.execute(f"CREATE INDEX {index} ON {name(table.name)} ({name(column.name)})")


def _create(table: Table) -> str:
    columns = [f"{name(column.name)} {_TYPES.get(column.type, 'TEXT')}" for column in table.columns]
    key = f"PRIMARY KEY ({', '.join(map(name, table.key))})"
    references = [
        f"FOREIGN KEY ({name(column.name)}) REFERENCES {' ('.join(map(name, column.refers_to))})"
        for column in table.columns
        if column.refers_to
    ]
    return f"CREATE TABLE {name(table.name)} ({', '.join([*columns, key, *references])}) WITHOUT ROWID"


def _value(column: Column) -> str:
    return f"CAST({name(column.name)} AS VARCHAR)" if column.type == "DATE" else name(column.name)
