"""`movies.json` and `actors.json` in the form that tmdb-to-neo4j reads: one object a line, every field that
it wants there and of its type."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec

from tmdb_scrapy.tables.engine import FIND_TABLES

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

ROWS_AT_ONCE = 10_000
Object = dict[str, Any]

_MOVIES = """
    SELECT
        movie_id AS id,
        coalesce(title, original_title, '') AS title,
        coalesce(overview, '') AS overview,
        coalesce(budget_usd, 0) AS budget,
        coalesce(revenue_usd, 0) AS revenue,
        backdrop_path,
        poster_path,
        CAST(release_date AS VARCHAR) AS release_date,
        runtime_minutes AS runtime,
        tagline
    FROM movies
    ORDER BY movie_id
"""
_GENRES = """
    SELECT movie_id AS owner, genre_id AS id, coalesce(name, '') AS name
    FROM movie_genres INNER JOIN genres USING (genre_id)
    ORDER BY movie_id, position
"""
_COUNTRIES = """
    SELECT movie_id AS owner, country_code AS iso_3166_1, coalesce(name, '') AS name
    FROM movie_countries INNER JOIN countries USING (country_code)
    WHERE role = 'production'
    ORDER BY movie_id, position
"""
_CAST = """
    SELECT
        movie_id AS owner,
        person_id AS id,
        character_name AS "character",
        coalesce(billing_order, row_number() OVER billing - 1) AS "order"
    FROM movie_cast
    WHERE person_id IS NOT NULL
    WINDOW billing AS (PARTITION BY movie_id ORDER BY billing_order, credit_id)
    ORDER BY movie_id, billing_order, credit_id
"""
_ACTORS = """
    SELECT
        person_id AS id,
        coalesce(name, '') AS name,
        coalesce(gender, 0) AS gender,
        biography,
        CAST(birthday AS VARCHAR) AS birthday,
        CAST(deathday AS VARCHAR) AS deathday,
        place_of_birth,
        profile_path
    FROM people
    WHERE person_id IN (SELECT person_id FROM parts_played)
    ORDER BY person_id
"""
_PARTS = """
    SELECT
        person_id AS owner,
        movie_id AS id,
        character_name AS "character",
        coalesce(billing_order, 0) AS "order"
    FROM parts_played
    WHERE person_id IS NOT NULL
    ORDER BY person_id, movie_id, credit_id
"""


def write_movies(database: DuckDBPyConnection, path: Path) -> None:
    """Raises `OSError`."""
    genres, countries, cast = (_Owned(_objects(database, query)) for query in (_GENRES, _COUNTRIES, _CAST))
    movies = (
        movie
        | {
            "genres": genres.of(movie["id"]),
            "production_countries": countries.of(movie["id"]),
            "credits": {"cast": cast.of(movie["id"])},
        }
        for movie in _objects(database, _MOVIES)
    )
    _write(movies, path)


def write_actors(database: DuckDBPyConnection, path: Path) -> None:
    """Raises `OSError`."""
    parts = _Owned(_objects(database, _PARTS))
    actors = (
        actor | {"movie_credits": {"cast": parts.of(actor["id"])}} for actor in _objects(database, _ACTORS)
    )
    _write(actors, path)


def _write(objects: Iterator[Object], path: Path) -> None:
    encode = msgspec.json.Encoder().encode
    with path.open("wb", buffering=1 << 20) as file:
        file.writelines(encode(one) + b"\n" for one in objects)


def _objects(database: DuckDBPyConnection, query: str) -> Iterator[Object]:
    """The rows as objects with the columns' names. Several queries may be read side by side."""
    cursor = database.cursor()
    cursor.execute(FIND_TABLES)
    names = [column[0] for column in cursor.execute(query).description or []]
    while rows := cursor.fetchmany(ROWS_AT_ONCE):
        yield from (dict(zip(names, row, strict=True)) for row in rows)


class _Owned:
    """Objects that come sorted by their `owner`, to be taken owner by owner in that order."""

    def __init__(self, objects: Iterator[Object]) -> None:
        self._objects = objects
        self._next = next(objects, None)

    def of(self, owner: int) -> list[Object]:
        """The objects of an owner, without its ID."""
        found: list[Object] = []
        while self._next is not None and self._next["owner"] <= owner:
            if self._next.pop("owner") == owner:
                found.append(self._next)
            self._next = next(self._objects, None)
        return found
