"""docs/questions.md says what its queries say."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import duckdb
import pytest
from questions import PAGE, SECTION, demo_lines, with_outputs
from sets import make_set

TEXT = PAGE.read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[duckdb.DuckDBPyConnection]:
    made: Path = make_set(tmp_path_factory.mktemp("demo"), {"movies": demo_lines()})
    with duckdb.connect(str(made / "tmdb.duckdb"), read_only=True) as database:
        yield database


def test_there_are_ten_questions() -> None:
    assert len(SECTION.findall(TEXT)) == TEXT.count("\n## ") == 10


def test_every_output_on_the_page_is_what_the_query_gives(demo: duckdb.DuckDBPyConnection) -> None:
    assert with_outputs(TEXT, demo) == TEXT, "run: .venv/bin/python tests/tables/questions.py"


@pytest.mark.parametrize("section", SECTION.finditer(TEXT), ids=lambda section: section["title"])
def test_every_query_has_an_answer_on_the_demos_data(section, demo: duckdb.DuckDBPyConnection) -> None:  # type: ignore[no-untyped-def]
    assert demo.execute(section["query"]).fetchall()
