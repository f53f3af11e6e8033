"""What a set of tables promises beside its rows."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import duckdb
import pytest
from needs import needs
from odd_records import movie, odd_movies, odd_people
from sets import DECLARED, line, make_set

from tmdb_scrapy.tables.database import DATABASE
from tmdb_scrapy.tables.engine import connect
from tmdb_scrapy.tables.metadata import ATTRIBUTION
from tmdb_scrapy.tables.schema import in_order
from tmdb_scrapy.tables.staging import LARGEST_OBJECT

TABLES = [table for table in in_order({name for names in DECLARED.values() for name in names}) if table.key]
MADE = ["csv", "jsonl", "sqlite", "neo4j"]


@pytest.fixture(scope="module")
def odd(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A set of tables from odd movies and people, and the movies' series beside them."""
    return make_set(tmp_path_factory.mktemp("odd"), {"movies": odd_movies(), "people": odd_people()}, *MADE)


def test_the_same_input_gives_the_same_bytes_twice(odd: Path, make: Any) -> None:
    again = make({"movies": odd_movies(), "people": odd_people()}, *MADE)
    files = sorted(path.relative_to(odd) for path in odd.rglob("*") if path.is_file())
    assert len(files) > 60
    # DuckDB leaves what it finds in memory in the unused parts of a database's blocks.
    different = [str(file) for file in files if (odd / file).read_bytes() != (again / file).read_bytes()]
    assert set(different) <= {DATABASE}


def test_every_foreign_key_holds_and_is_declared(odd: Path) -> None:
    checked = 0
    with duckdb.connect(str(odd / DATABASE), read_only=True) as database:
        there = {row[0] for row in database.execute("SELECT table_name FROM duckdb_tables()").fetchall()}
        declared = database.execute(
            "SELECT table_name, constraint_type, constraint_column_names FROM duckdb_constraints()"
        ).fetchall()
        for table in TABLES:
            if table.name not in there:
                continue
            assert (table.name, "PRIMARY KEY", list(table.key)) in declared
            for column in table.columns:
                if column.refers_to:
                    other, key = column.refers_to
                    assert (table.name, "FOREIGN KEY", [column.name]) in declared
                    values = f"SELECT {column.name} FROM '{odd / table.name}.parquet'"
                    parents = f"SELECT {key} FROM '{odd / other}.parquet'"
                    dangling = database.execute(f"{values} EXCEPT {parents}").fetchall()
                    assert dangling in ([], [(None,)]), (table.name, column.name)
                    checked += 1
    assert checked >= 19


@pytest.mark.parametrize("table", TABLES, ids=lambda table: table.name)
def test_a_parquet_file_is_compressed_and_says_what_it_is(odd: Path, table: Any) -> None:
    path = odd / f"{table.name}.parquet"
    if not path.exists():
        assert table.name not in DECLARED["movies"] + DECLARED["people"]
        return
    pairs = duckdb.execute(f"SELECT key, value FROM parquet_kv_metadata('{path}')").fetchall()
    about = {key.decode(): value.decode() for key, value in pairs}
    expected = [kind for kind in ("movies", "people") if kind in table.kinds]
    assert about["source"] == ", ".join(f"{kind}.jsonl" for kind in expected)
    assert (about["oldest_record"], about["newest_record"]) == ("", "")
    assert (about["schema_version"], about["attribution"]) == ("1", ATTRIBUTION)
    codecs = duckdb.execute(f"SELECT DISTINCT compression FROM parquet_metadata('{path}')").fetchall()
    assert codecs in ([("ZSTD",)], [])


def test_ages_of_records_are_told_in_days_of_utc(make: Any, query: Any) -> None:
    midnight = 1_767_225_600  # 2026-01-01 00:00 UTC
    ages = {1: midnight * 10**9 - 1, 2: midnight * 10**9, 3: (midnight + 86_400) * 10**9}
    made = make({"movies": [line(movie(n)) for n in ages]}, "csv", movies=ages.get)
    about = dict(query(made, "SELECT key, value FROM metadata"))
    assert (about["oldest_record"], about["newest_record"]) == ("2025-12-31", "2026-01-02")


def test_the_record_that_was_fetched_last_is_believed(make: Any, query: Any) -> None:
    def named(number: int, name: str) -> dict[str, Any]:
        company = {"id": 3, "name": name}
        return movie(number, genres=[{"id": 28, "name": name}], production_companies=[company])

    lines = [line(named(1, "newest")), line(named(2, "older")), line(named(3, "unknown age"))]
    made = make({"movies": lines}, movies={1: 2_000, 2: 1_000}.get)
    names = "SELECT name FROM genres WHERE genre_id = 28 UNION ALL SELECT name FROM companies"
    assert query(made, names) == [("newest",)] * 2
    assert query(make({"movies": lines}), names) == [("unknown age",)] * 2


def test_an_id_that_stands_twice_counts_once_as_fetched_last(make: Any, query: Any) -> None:
    lines = [line(movie(5, title="first")), line(movie(5, title="second", genres=[]))]
    made = make({"movies": lines})
    assert query(made, "SELECT title FROM movies") == [("second",)]
    assert query(made, "FROM movie_genres") == []


def test_many_rows_go_through_several_transactions(make: Any, query: Any) -> None:
    keywords = [{"id": number, "name": f"k{number}"} for number in range(250_000)]
    made = make({"movies": [line(movie(1, keywords={"keywords": keywords}))]})
    assert query(made, "SELECT count(*), count(DISTINCT keyword_id) FROM movie_keywords") == [
        (250_000, 250_000)
    ]
    assert query(made, "SELECT count(*) FROM keywords") == [(250_000,)]


def test_a_line_longer_than_duckdbs_limit_is_read(make: Any, query: Any) -> None:
    keywords = [{"id": number, "name": f"{number:0100}"} for number in range(320_000)]
    long = line(movie(1, keywords={"keywords": keywords}))
    assert len(long) > 2 * LARGEST_OBJECT
    made = make({"movies": [line(movie(2)), long]})
    assert query(made, "SELECT movie_id, count(*) FROM movie_keywords GROUP BY ALL ORDER BY ALL") == [
        (1, 320_000),
        (2, 1),
    ]


def test_the_database_explains_its_columns(odd: Path, query: Any) -> None:
    unexplained = "SELECT column_name FROM duckdb_columns() WHERE comment IS NULL AND table_name = 'movies'"
    assert query(odd, unexplained) == []


def test_an_empty_merged_file_makes_empty_tables(make: Any, query: Any) -> None:
    made = make({"movies": []})
    assert query(made, "FROM movies") == []
    assert query(made, "FROM movies_flat") == []


def test_nothing_else_is_left_beside_the_tables(odd: Path) -> None:
    sorts = {path.suffix or path.name for path in odd.iterdir()}
    assert sorts == {".parquet", ".duckdb", ".sqlite", "csv", "jsonl", "neo4j"}


READERS = Path(__file__).parents[2] / ".readers" / str(sys.implementation.cache_tag)
"""Of this Python: what was compiled for one does not load in another."""
OPENED = """
import duckdb, sys
database = duckdb.connect(sys.argv[1])
for strange in ("movies (movie_id) VALUES (1)", "movie_cast (credit_id, movie_id) VALUES ('new', -1)"):
    try:
        database.execute(f"INSERT INTO {strange}")
    except duckdb.ConstraintException:
        continue
    sys.exit(f"{strange} is taken")
names = [row[0] for row in database.execute("SELECT table_name FROM duckdb_tables()").fetchall()]
rows = sum(len(database.execute(f"FROM {name}").fetchall()) for name in names)
flat = len(database.execute("FROM movies_flat").fetchall())
print(duckdb.__version__, len(names), rows, flat)
"""


@pytest.mark.parametrize("version", ["1.4.5", "1.5.6"])
def test_earlier_duckdbs_open_the_database_and_keep_its_keys(
    odd: Path, query: Any, tmp_path: Path, version: str
) -> None:
    """As `.ci/run` installs them: pip install --no-deps --target .readers/cpython-311/duckdb-1.4.5 …"""
    reader = READERS / f"duckdb-{version}"
    needs("" if reader.is_dir() else f"{reader} is not there; see .ci/run")
    copy = shutil.copy(odd / DATABASE, tmp_path)
    ran = subprocess.run(
        [sys.executable, "-c", OPENED, copy],
        env=os.environ | {"PYTHONPATH": str(reader)}, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert ran.returncode == 0, ran.stderr
    names = [row[0] for row in query(odd, "SELECT table_name FROM duckdb_tables()")]
    rows = sum(len(query(odd, f"FROM {name}")) for name in names)
    flat = len(query(odd, "FROM movies_flat"))
    assert ran.stdout.split() == [version, str(len(names)), str(rows), str(flat)]


def test_duckdb_asks_nobody_for_anything(tmp_path: Path) -> None:
    with connect(tmp_path, "64MB") as database:
        settings = dict(database.execute("SELECT name, value FROM duckdb_settings()").fetchall())
    assert settings["autoinstall_known_extensions"] == settings["autoload_known_extensions"] == "false"
    assert settings["temp_directory"] == str(tmp_path)


def test_pandas_polars_and_pyarrow_read_the_same(odd: Path) -> None:
    try:
        import pandas
        import polars
        import pyarrow.parquet
    except ImportError as error:
        needs(f"{error}; pip install '.[readers]'")
        return
    for path in sorted(odd.glob("*.parquet")):
        rows = duckdb.execute(f"FROM '{path}'").fetchall()
        assert [tuple(row.values()) for row in pyarrow.parquet.read_table(path).to_pylist()] == rows, (
            path.name
        )
        assert polars.read_parquet(path).rows() == rows, path.name
        assert len(pandas.read_parquet(path)) == len(rows), path.name
