"""CSV, JSON lines, SQLite and Neo4j's files, each read by its own rules, beside the Parquet files."""

from __future__ import annotations

import csv
import json
import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import duckdb
import msgspec
import pytest
from neo4j_import import Graph
from odd_records import TRICKY, odd_movies, odd_people
from sets import DECLARED, make_set

NAMES = sorted({*DECLARED["movies"], *DECLARED["people"]} - {"movies_flat"})
FLAT = (
    "id,title,vote_average,vote_count,status,release_date,revenue,runtime,adult,backdrop_path,budget,homepage,"
    "imdb_id,original_language,original_title,overview,popularity,poster_path,tagline,genres,"
    "production_companies,production_countries,spoken_languages,keywords"
)


@pytest.fixture(scope="module")
def odd(tmp_path_factory: pytest.TempPathFactory) -> Path:
    lines = {"movies": odd_movies(), "people": odd_people()}
    return make_set(tmp_path_factory.mktemp("odd"), lines, "csv", "jsonl", "sqlite", "neo4j")


def parquet(directory: Path, name: str) -> tuple[list[str], list[tuple[Any, ...]]]:
    found = duckdb.execute(f"FROM '{directory / name}.parquet'")
    return [column[0] for column in found.description], found.fetchall()


def as_text(value: Any) -> str:
    if value is None:
        return ""
    return str(value).lower() if isinstance(value, bool) else str(value)


@pytest.mark.parametrize("name", NAMES)
def test_csv_has_the_same_rows(odd: Path, name: str) -> None:
    names, rows = parquet(odd, name)
    with (odd / "csv" / f"{name}.csv").open(encoding="utf-8", newline="") as file:
        header, *records = csv.reader(file, strict=True)
    assert header == names
    assert len(records) == len(rows)
    for record, row in zip(records, rows, strict=True):
        for text, value in zip(record, row, strict=True):
            assert (float(text) == value) if isinstance(value, float) else (text == as_text(value))


@pytest.mark.parametrize("name", NAMES)
def test_json_lines_have_the_same_rows(odd: Path, name: str) -> None:
    names, rows = parquet(odd, name)
    with (odd / "jsonl" / f"{name}.jsonl").open("rb") as lines:
        records = [json.loads(line) for line in lines]
    assert all(list(record) == names for record in records)
    assert [tuple(record.values()) for record in records] == [tuple(map(_as_json, row)) for row in rows]


def _as_json(value: Any) -> Any:
    return value.isoformat() if hasattr(value, "isoformat") else value


@pytest.fixture
def sqlite(odd: Path) -> Iterator[sqlite3.Connection]:
    connection = sqlite3.connect(f"file:{odd / 'tmdb.sqlite'}?mode=ro", uri=True)
    yield connection
    connection.close()


@pytest.mark.parametrize("name", NAMES)
def test_sqlite_has_the_same_rows_and_keys(odd: Path, sqlite: sqlite3.Connection, name: str) -> None:
    names, rows = parquet(odd, name)
    found = sqlite.execute(f'SELECT * FROM "{name}"')
    assert [column[0] for column in found.description] == names
    assert found.fetchall() == [tuple(map(_as_json, row)) for row in rows]
    keys = sqlite.execute(f"SELECT count(*) FROM pragma_table_info('{name}') WHERE pk").fetchone()
    assert keys[0] >= 1


def test_sqlite_is_whole_and_its_foreign_keys_hold(sqlite: sqlite3.Connection) -> None:
    assert sqlite.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
    assert sqlite.execute("PRAGMA foreign_key_check").fetchall() == []
    references = "SELECT count(*) FROM sqlite_schema AS t, pragma_foreign_key_list(t.name)"
    assert sqlite.execute(references).fetchone()[0] >= 19
    assert sqlite.execute("SELECT value FROM metadata WHERE key = 'source'").fetchone() == (
        "movies.jsonl, people.jsonl",
    )


def test_movies_flat_has_the_columns_of_the_known_set(odd: Path) -> None:
    with (odd / "csv" / "movies_flat.csv").open(encoding="utf-8", newline="") as file:
        header, *records = csv.reader(file, strict=True)
    assert ",".join(header) == FLAT
    by_id = {record[0]: dict(zip(header, record, strict=True)) for record in records}
    assert (by_id["3"]["budget"], by_id["3"]["revenue"], by_id["3"]["runtime"]) == ("0", "0", "0")
    assert (by_id["3"]["genres"], by_id["3"]["keywords"]) == ("", "")
    assert by_id["14"]["genres"] == "Adventure, Action"
    assert by_id["14"]["spoken_languages"] == "French"


@pytest.mark.parametrize("folder", ["csv", "jsonl"])
def test_what_has_no_metadata_is_explained_beside_it(odd: Path, folder: str) -> None:
    about = json.loads((odd / folder / "metadata.json").read_bytes())
    assert set(about) == {"source", "oldest_record", "newest_record", "schema_version", "attribution"}


def test_neo4j_would_import_every_file(odd: Path) -> None:
    graph = Graph(odd / "neo4j")
    names, rows = parquet(odd, "movies")
    title = names.index("title")
    movies = graph.nodes["Movie"]
    assert {number: movie.get("title") for number, movie in movies.items()} == {
        str(row[0]): row[title] for row in rows
    }
    assert {text for text in TRICKY if text} <= {movie.get("title") for movie in movies.values()}
    assert movies["9"]["revenue_usd"] == 2**63 - 1
    assert movies["1"]["adult"] is False
    assert {"character": "Hero", "order": 0} in [part for _, _, part in graph.relationships["PLAY_IN"]]
    credits = {(row[2], row[1]) for row in parquet(odd, "movie_cast")[1] if row[2] is not None}
    played = {(int(person), int(movie)) for person, movie, _ in graph.relationships["PLAY_IN"]}
    assert credits <= played
    assert len(graph.relationships["BELONGS_TO"]) == len(parquet(odd, "movie_genres")[1])
    assert graph.relationships["PRODUCED_IN"]
    assert graph.relationships["SIMILAR_TO"]


class Genre(msgspec.Struct):
    id: int
    name: str


class Country(msgspec.Struct):
    iso_3166_1: str
    name: str


class Part(msgspec.Struct):
    id: int
    order: int
    character: str | None = None


class Credits(msgspec.Struct):
    cast: list[Part]


class ConsumersMovie(msgspec.Struct):
    """What tmdb-to-neo4j insists on in `movies.json`."""

    id: int
    title: str
    overview: str
    budget: int
    revenue: int
    genres: list[Genre]
    credits: Credits
    backdrop_path: str | None = None
    poster_path: str | None = None
    production_countries: list[Country] | None = None
    release_date: str | None = None
    runtime: int | None = None
    tagline: str | None = None


class ConsumersActor(msgspec.Struct):
    """What it insists on in `actors.json`."""

    id: int
    name: str
    gender: int
    movie_credits: Credits
    biography: str | None = None
    birthday: str | None = None
    deathday: str | None = None
    place_of_birth: str | None = None
    profile_path: str | None = None


def test_the_originals_consumer_can_read_every_line(odd: Path) -> None:
    movies = [
        msgspec.json.decode(line, type=ConsumersMovie)
        for line in (odd / "neo4j" / "movies.json").read_bytes().splitlines()
    ]
    actors = [
        msgspec.json.decode(line, type=ConsumersActor)
        for line in (odd / "neo4j" / "actors.json").read_bytes().splitlines()
    ]
    assert [movie.id for movie in movies] == [row[0] for row in parquet(odd, "movies")[1]]
    parts = [(movie.id, part.id) for movie in movies for part in movie.credits.cast]
    credits = [(row[1], row[2]) for row in parquet(odd, "movie_cast")[1] if row[2] is not None]
    assert sorted(parts) == sorted(credits)
    assert {person for _, person in credits} <= {actor.id for actor in actors}
    genres = [(movie.id, genre.id) for movie in movies for genre in movie.genres]
    assert sorted(genres) == [row[:2] for row in parquet(odd, "movie_genres")[1]]
