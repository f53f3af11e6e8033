"""Tables from merged files that a test writes."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import duckdb
import pytest
from sets import make_set

from tmdb_scrapy.tables.database import DATABASE

Make = Callable[..., Path]


@pytest.fixture
def make(tmp_path_factory: pytest.TempPathFactory) -> Make:
    """`make({"movies": [line, …]}, "csv")` returns a directory with the tables of these lines. The
    merged files lie in its parent."""
    return lambda lines, *formats, **answered: make_set(
        tmp_path_factory.mktemp("tables"), lines, *formats, **answered
    )


@pytest.fixture
def query() -> Iterator[Callable[[Path, str], list[tuple[Any, ...]]]]:
    """`query(directory, "FROM movies")` asks the database of a set of tables."""
    opened: list[duckdb.DuckDBPyConnection] = []

    def asked(directory: Path, sql: str) -> list[tuple[Any, ...]]:
        opened.append(duckdb.connect(str(directory / DATABASE), read_only=True))
        return opened[-1].execute(sql).fetchall()

    yield asked
    for database in opened:
        database.close()
