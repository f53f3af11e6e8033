"""Tables by hand: one pass of msgspec, pyarrow writes Parquet. What a user in a hurry would write.

python -m benchmarks.peers.tables_msgspec MOVIES.jsonl DIRECTORY
"""

from __future__ import annotations

import sys
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import msgspec
import pyarrow as pa
import pyarrow.parquet as pq

ROWS_A_GROUP = 50_000
LINKS = {
    "genres": ("genres",),
    "keywords": ("keywords", "keywords"),
    "companies": ("production_companies",),
    "countries": ("production_countries",),
    "languages": ("spoken_languages",),
}
KEYS = {"countries": "iso_3166_1", "languages": "iso_639_1"}
SCALARS = (
    "id", "imdb_id", "title", "original_title", "original_language", "release_date", "status", "runtime",
    "budget", "revenue", "popularity", "vote_average", "vote_count", "adult", "video", "overview", "tagline",
    "homepage", "poster_path", "backdrop_path",
)  # fmt: skip
SIZES = ("collection_id", "cast_size", "crew_size", "similar", "recommendations")
CAST = ("credit_id", "id", "order", "character", "cast_id")
CREW = ("credit_id", "id", "department", "job")
PERSON = (
    "id", "name", "original_name", "gender", "known_for_department", "popularity", "profile_path", "adult",
)  # fmt: skip


class Entry(msgspec.Struct):
    """Anything within a record."""

    id: int | None = None
    name: str | None = None
    original_name: str | None = None
    english_name: str | None = None
    iso_3166_1: str | None = None
    iso_639_1: str | None = None
    logo_path: str | None = None
    poster_path: str | None = None
    backdrop_path: str | None = None
    gender: int | None = None
    known_for_department: str | None = None
    popularity: float | None = None
    profile_path: str | None = None
    adult: bool | None = None
    credit_id: str | None = None
    order: int | None = None
    character: str | None = None
    cast_id: int | None = None
    department: str | None = None
    job: str | None = None


class Number(msgspec.Struct):
    id: int | None = None


class Lists(msgspec.Struct):
    cast: list[Entry] | None = None
    crew: list[Entry] | None = None
    keywords: list[Entry] | None = None


class Page(msgspec.Struct):
    results: list[Number] | None = None
    total_results: int | None = None


class Movie(msgspec.Struct):
    id: int
    imdb_id: str | None = None
    title: str | None = None
    original_title: str | None = None
    original_language: str | None = None
    release_date: str | None = None
    status: str | None = None
    runtime: int | None = None
    budget: int | None = None
    revenue: int | None = None
    popularity: float | None = None
    vote_average: float | None = None
    vote_count: int | None = None
    adult: bool | None = None
    video: bool | None = None
    overview: str | None = None
    tagline: str | None = None
    homepage: str | None = None
    poster_path: str | None = None
    backdrop_path: str | None = None
    belongs_to_collection: Entry | None = None
    genres: list[Entry] | None = None
    origin_country: list[str] | None = None
    production_companies: list[Entry] | None = None
    production_countries: list[Entry] | None = None
    spoken_languages: list[Entry] | None = None
    credits: Lists | None = None
    keywords: Lists | None = None
    similar: Page | None = None
    recommendations: Page | None = None


class Table:
    """Rows of one table on their way to its Parquet file."""

    def __init__(self, directory: Path, name: str, columns: Sequence[str]) -> None:
        self._path = directory / f"{name}.parquet"
        self._columns = columns
        self._rows: list[tuple[Any, ...]] = []
        self._writer: Any = None

    def add(self, row: tuple[Any, ...]) -> None:
        self._rows.append(row)
        if len(self._rows) >= ROWS_A_GROUP:
            self.flush()

    def flush(self) -> None:
        if self._rows:
            schema = pa.schema([(name, _type(name)) for name in self._columns])
            arrays = [
                pa.array(column, type=of)
                for column, of in zip(zip(*self._rows, strict=True), schema.types, strict=True)
            ]
            if self._writer is None:
                self._writer = pq.ParquetWriter(self._path, schema, compression="zstd")
            self._writer.write_batch(pa.record_batch(arrays, schema=schema))
            self._rows.clear()

    def close(self) -> None:
        self.flush()
        if self._writer is not None:
            self._writer.close()


def _type(column: str) -> pa.DataType:
    if column in {"popularity", "vote_average"}:
        return pa.float64()
    if column in {"adult", "video"}:
        return pa.bool_()
    whole = {
        "id", "other", "position", "movie_id", "person_id", "order", "cast_id", "gender", "runtime", "budget",
        "revenue", "vote_count", "collection_id", "cast_size", "crew_size", "similar", "recommendations",
    }  # fmt: skip
    return pa.int64() if column in whole else pa.string()


def _values(entry: object, fields: Iterable[str]) -> tuple[Any, ...]:
    return tuple(getattr(entry, field) for field in fields)


class Script:
    """All tables. The small ones stay in memory to the end."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._tables: dict[str, Table] = {}
        self._people: dict[int, tuple[Any, ...]] = {}
        self._things: dict[str, dict[Any, tuple[Any, ...]]] = {name: {} for name in (*LINKS, "collections")}

    def _table(self, name: str, columns: Sequence[str]) -> Table:
        if name not in self._tables:
            self._tables[name] = Table(self._directory, name, columns)
        return self._tables[name]

    def movie(self, movie: Movie) -> None:
        lists, collection = movie.credits or Lists(), movie.belongs_to_collection
        if collection is not None:
            path = (collection.name, collection.poster_path, collection.backdrop_path)
            self._things["collections"][collection.id] = path
        self._table("movies", (*SCALARS, *SIZES)).add(
            (
                *_values(movie, SCALARS),
                collection.id if collection else None,
                None if lists.cast is None else len(lists.cast),
                None if lists.crew is None else len(lists.crew),
                movie.similar.total_results if movie.similar else None,
                movie.recommendations.total_results if movie.recommendations else None,
            )
        )
        self._credits("movie_cast", movie.id, lists.cast, CAST)
        self._credits("movie_crew", movie.id, lists.crew, CREW)
        self._links(movie)
        self._pages(movie)

    def _credits(self, name: str, movie_id: int, entries: list[Entry] | None, fields: Sequence[str]) -> None:
        table = self._table(name, (*fields, "movie_id"))
        for entry in entries or ():
            table.add((*_values(entry, fields), movie_id))
            self._people[entry.id or 0] = _values(entry, PERSON)

    def _links(self, movie: Movie) -> None:
        for name, path in LINKS.items():
            found: Any = movie
            for step in path:
                found = getattr(found, step, None)
            key = KEYS.get(name, "id")
            table = self._table(f"movie_{name}", ("id", "code" if name in KEYS else "other", "position"))
            for position, entry in enumerate(found or (), 1):
                code = getattr(entry, key)
                table.add((movie.id, code, position))
                self._things[name][code] = (entry.name, entry.english_name, entry.logo_path)

    def _pages(self, movie: Movie) -> None:
        origins = self._table("movie_origins", ("id", "code", "position"))
        for position, origin in enumerate(movie.origin_country or (), 1):
            origins.add((movie.id, origin, position))
        for name, page in (("similar", movie.similar), ("recommendations", movie.recommendations)):
            table = self._table(f"movie_{name}", ("id", "position", "other"))
            for position, other in enumerate((page.results if page else None) or (), 1):
                table.add((movie.id, position, other.id))

    def close(self) -> None:
        named = self._table("people", PERSON)
        for row in self._people.values():
            named.add(row)
        for name, rows in self._things.items():
            table = self._table(name, ("code" if name in KEYS else "id", "name", "more", "path"))
            for key, row in rows.items():
                table.add((key, *row))
        for table in self._tables.values():
            table.close()


def main(source: Path, directory: Path) -> None:
    script = Script(directory)
    decode = msgspec.json.Decoder(Movie).decode
    with source.open("rb", buffering=1 << 20) as lines:
        for line in lines:
            script.movie(decode(line))
    script.close()


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
