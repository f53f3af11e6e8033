"""The database that is filled while Parquet files are written."""

from __future__ import annotations

import threading
from pathlib import Path

import duckdb
import pytest

from tmdb_scrapy.tables.database import DATABASE, filling
from tmdb_scrapy.tables.engine import EngineFailed
from tmdb_scrapy.tables.schema import table

KEYWORDS = table("keywords")
ABOUT = {"source": "movies.jsonl"}


def write_parquet(directory: Path, rows: str) -> None:
    duckdb.execute(
        f"COPY (SELECT * FROM (VALUES {rows}) AS _ (keyword_id, name)) TO '{directory}/keywords.parquet'"
    )


def test_it_is_whole_when_the_block_has_ended(tmp_path: Path) -> None:
    write_parquet(tmp_path, "(1, 'one'), (2, NULL)")
    with filling(tmp_path, tmp_path / "temporary", ABOUT) as fill:
        fill(KEYWORDS, 2)
    assert not (tmp_path / f"{DATABASE}.wal").exists()
    with duckdb.connect(str(tmp_path / DATABASE), read_only=True) as database:
        assert database.execute("FROM keywords").fetchall() == [(1, "one"), (2, None)]
        assert dict(database.execute("FROM metadata").fetchall()) == ABOUT


def test_a_fault_in_it_ends_the_block(tmp_path: Path) -> None:
    write_parquet(tmp_path, "(1, 'one'), (1, 'another')")
    with (
        pytest.raises(EngineFailed, match="duplicate key"),
        filling(tmp_path, tmp_path / "temporary", ABOUT) as fill,
    ):
        fill(KEYWORDS, 2)


def test_a_fault_in_the_block_ends_the_filling(tmp_path: Path) -> None:
    rows = 1_000_000
    query = f"SELECT range AS keyword_id, 'x' AS name FROM range({rows})"
    duckdb.execute(f"COPY ({query}) TO '{tmp_path}/keywords.parquet'")
    before = threading.active_count()
    with pytest.raises(KeyboardInterrupt), filling(tmp_path, tmp_path / "temporary", ABOUT) as fill:
        fill(KEYWORDS, rows)
        fill(table("genres"), 0)
        raise KeyboardInterrupt
    assert threading.active_count() == before
    with duckdb.connect(str(tmp_path / DATABASE), read_only=True) as database:
        assert ("genres",) not in database.execute("SELECT table_name FROM duckdb_tables()").fetchall()
