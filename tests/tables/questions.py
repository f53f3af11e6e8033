"""docs/questions.md: its queries, and their outputs on the demo's data.

As a program it writes the outputs anew: `.venv/bin/python tests/tables/questions.py`.
"""

from __future__ import annotations

import re
import tempfile
from pathlib import Path
from typing import Any

import duckdb
from sets import make_set

from tmdb_scrapy.kinds import KINDS
from tmdb_scrapy.sandbox.catalogue.generated import GeneratedCatalogue

PAGE = Path(__file__).parents[2] / "docs" / "questions.md"
SECTION = re.compile(r"(## (?P<title>[^\n]*)\n.*?```sql\n(?P<query>.*?)```\n)(?P<output>[^#]*)", re.DOTALL)


def demo_lines(movies: int = 3000) -> list[bytes]:
    """What `make demo` has in its merged file: the kept movies of the sandbox's catalogue of seed 0."""
    catalogue = GeneratedCatalogue({"movies": movies})
    kept = [number for number, outcome in catalogue.expected("movies") if outcome == "kept"]
    bodies = (catalogue.body("movies", number, KINDS["movies"].appended) for number in kept)
    return [body + b"\n" for body in bodies if body]


def with_outputs(page: str, database: duckdb.DuckDBPyConnection) -> str:
    """The page with the output of each query after it."""

    def answered(section: re.Match[str]) -> str:
        return f"{section[1]}\n{_table(database.execute(section['query']))}\n"

    return SECTION.sub(answered, page).rstrip() + "\n"


def _table(found: duckdb.DuckDBPyConnection) -> str:
    names = [column[0] for column in found.description]
    rows = [[_cell(value) for value in row] for row in found.fetchall()]
    lines = [names, ["---"] * len(names), *rows]
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)


def _cell(value: Any) -> str:
    return "" if value is None else repr(value)[1:-1] if isinstance(value, str) else f"{value}"


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as directory:
        made = make_set(Path(directory), {"movies": demo_lines()})
        with duckdb.connect(str(made / "tmdb.duckdb"), read_only=True) as opened:
            PAGE.write_text(with_outputs(PAGE.read_text(encoding="utf-8"), opened), encoding="utf-8")
