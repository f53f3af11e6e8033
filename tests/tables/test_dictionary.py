"""docs/tables.md is what the SQL files say."""

from __future__ import annotations

from importlib.resources import files
from pathlib import Path

import duckdb
import pytest
from sets import DECLARED

from tmdb_scrapy.tables.dictionary import dictionary
from tmdb_scrapy.tables.schema import in_order, table

NAMES = sorted({name for names in DECLARED.values() for name in names})
PAGE = Path(__file__).parents[2] / "docs" / "tables.md"


def test_the_page_is_up_to_date() -> None:
    assert PAGE.read_text(encoding="utf-8") == dictionary(), (
        "run: .venv/bin/python -m tmdb_scrapy.tables.dictionary > docs/tables.md"
    )


def test_every_sql_file_is_a_kinds() -> None:
    there = {path.name.removesuffix(".sql") for path in files("tmdb_scrapy.tables").joinpath("sql").iterdir()}
    assert there == set(NAMES)


def test_the_page_has_every_column_as_duckdb_has_it() -> None:
    with duckdb.connect() as database:
        for one in in_order(NAMES):
            database.execute(one.create)
        columns = database.execute(
            "SELECT c.table_name, c.column_name, c.data_type FROM duckdb_columns() AS c"
            " WHERE NOT EXISTS (FROM duckdb_views() AS v WHERE v.view_name = c.table_name)"
        ).fetchall()
    sections = {part.partition("\n")[0]: part for part in PAGE.read_text(encoding="utf-8").split("\n## ")}
    assert len(columns) > 200
    for name, column, data_type in columns:
        assert f"| `{column}` | {data_type} |" in sections[name], (name, column)


@pytest.mark.parametrize("name", NAMES)
def test_every_table_and_column_is_explained(name: str) -> None:
    one = table(name)
    assert one.about
    assert all(column.about for column in one.columns)
    assert one.is_view or one.key
