"""Movies counted by questions to their tables."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tmdb_scrapy.tables.engine import connect, quoted
from tmdb_scrapy.watch.report.collected import (
    CONNECTED,
    FIELDS,
    FIRST_CANDIDATES,
    LONGEST_RUNTIME,
    RUNTIME_STEP,
    Amount,
    Collected,
    Connected,
)

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

USED = (
    "movies", "movie_cast", "movie_crew", "movie_genres", "movie_keywords", "movie_companies",
    "movie_countries", "movie_languages", "genres", "countries", "languages", "people",
)  # fmt: skip
MEMORY_LIMIT = "160MB"
"""Of DuckDB's buffers: to count needs less than to sort."""

DECADES = "SELECT release_year // 10 * 10, count(*) FROM movies WHERE release_year IS NOT NULL GROUP BY 1"
LANGUAGES = """
    SELECT coalesce(english_name, original_language), count(*)
    FROM movies LEFT JOIN languages ON language_code = original_language
    WHERE original_language IS NOT NULL GROUP BY 1"""
COUNTRIES = """
    SELECT coalesce(name, country_code), count(*)
    FROM movie_countries JOIN countries USING (country_code) WHERE role = 'production' GROUP BY 1"""
GENRES = """
    SELECT coalesce(name, genre_id::VARCHAR), count(*)
    FROM movie_genres JOIN genres USING (genre_id) GROUP BY 1"""
RUNTIMES = f"""
    SELECT least(runtime_minutes, {LONGEST_RUNTIME}) // {RUNTIME_STEP} * {RUNTIME_STEP}, count(*)
    FROM movies WHERE runtime_minutes > 0 GROUP BY 1"""
VOTES = """
    SELECT floor(vote_average)::INTEGER, count(*)
    FROM movies WHERE vote_count <> 0 AND vote_average BETWEEN 0 AND 10 GROUP BY 1"""
MONEY = """
    SELECT left(budget_usd::VARCHAR, 1), len(budget_usd::VARCHAR),
        left(revenue_usd::VARCHAR, 1), len(revenue_usd::VARCHAR), count(*)
    FROM movies WHERE budget_usd > 0 AND revenue_usd > 0 GROUP BY ALL"""
COLUMNS = {
    "runtime": "runtime_minutes", "budget": "budget_usd", "revenue": "revenue_usd",
    "votes": "nullif(vote_count, 0)", "poster": "poster_path", "backdrop": "backdrop_path",
    "collection": "collection_id",
}  # fmt: skip
"""Where a field is not a column of its own name."""
LISTS = {
    "genres": "movie_genres", "keywords": "movie_keywords", "companies": "movie_companies",
    "countries": "movie_countries WHERE role = 'production'", "languages": "movie_languages",
    "cast": "movie_cast", "crew": "movie_crew",
}  # fmt: skip
CASTS = "SELECT DISTINCT movie_id, person_id FROM movie_cast WHERE person_id IS NOT NULL"
BOUNDS = f"""
    CREATE TABLE candidates AS
    WITH casts AS ({CASTS}), sizes AS (SELECT movie_id, count(*) - 1 AS others FROM casts GROUP BY movie_id)
    SELECT person_id, sum(others)::BIGINT AS bound, count(*) AS movies
    FROM casts JOIN sizes USING (movie_id)
    GROUP BY person_id HAVING bound > 0 ORDER BY bound DESC, person_id LIMIT ?"""
"""For each person, no fewer than the others that the person was with: repeated ones count again."""
CONNECTIONS = f"""
    WITH casts AS ({CASTS}), chosen AS (
        SELECT person_id, movie_id, movies FROM candidates JOIN casts USING (person_id)
    )
    SELECT
        coalesce(people.name, people.person_id::VARCHAR) AS name, chosen.person_id,
        count(DISTINCT others.person_id) - 1 AS others, min(movies)
    FROM chosen JOIN casts AS others USING (movie_id) JOIN people ON people.person_id = chosen.person_id
    GROUP BY ALL ORDER BY others DESC, chosen.person_id LIMIT {CONNECTED}"""


def from_tables(tables: Path, temporary: Path) -> Collected:
    """Count what is in the directory `tables`. What does not fit into the memory goes into `temporary`.

    Raises `NotInstalled`, `EngineFailed`.
    """
    with connect(temporary, MEMORY_LIMIT) as database:
        for name in USED:
            parquet = quoted(str(tables / f"{name}.parquet"))
            database.execute(f"CREATE VIEW {name} AS SELECT * FROM read_parquet({parquet})")
        return _Questions(database).collected()


class _Questions:
    def __init__(self, database: DuckDBPyConnection) -> None:
        self._database = database

    def collected(self) -> Collected:
        return Collected(
            movies=self._number("SELECT count(*) FROM movies"),
            decades=self._counter(DECADES),
            languages=self._counter(LANGUAGES),
            countries=self._counter(COUNTRIES),
            genres=self._counter(GENRES),
            money=self._money(),
            runtimes=self._counter(RUNTIMES),
            votes=self._counter(VOTES),
            complete=self._complete(),
            connected=self._connected(),
        )

    def _rows(self, question: str, *values: object) -> list[tuple[Any, ...]]:
        rows: list[tuple[Any, ...]] = self._database.execute(question, values or None).fetchall()
        return rows

    def _number(self, question: str) -> int:
        return int(self._rows(question)[0][0])

    def _counter(self, question: str) -> Counter[Any]:
        return Counter(dict(self._rows(question)))

    def _money(self) -> Counter[tuple[Amount, Amount]]:
        money: Counter[tuple[Amount, Amount]] = Counter()
        for budget, budget_digits, revenue, revenue_digits, count in self._rows(MONEY):
            classes = (
                Amount.of(int(first) * 10 ** (digits - 1))
                for first, digits in ((budget, budget_digits), (revenue, revenue_digits))
            )
            money[next(classes), next(classes)] += count
        return money

    def _complete(self) -> Counter[str]:
        single = [name for name in FIELDS if name not in LISTS]
        counts = ", ".join(f"count({COLUMNS.get(name, name)})" for name in single)
        complete = Counter(dict(zip(single, self._rows(f"SELECT {counts} FROM movies")[0], strict=True)))
        for name, table in LISTS.items():
            complete[name] = self._number(f"SELECT count(DISTINCT movie_id) FROM {table}")
        return complete

    def _connected(self) -> list[Connected]:
        """Whoever has a lower bound than the last of them cannot be among them, so others are left out."""
        candidates = FIRST_CANDIDATES
        while True:
            self._rows("DROP TABLE IF EXISTS candidates")
            self._rows(BOUNDS, candidates)
            found = [Connected(*row) for row in self._rows(CONNECTIONS)]
            there, least = self._rows("SELECT count(*), coalesce(min(bound), 0) FROM candidates")[0]
            if there < candidates or (len(found) == CONNECTED and found[-1].others > least):
                return found
            candidates *= 4
