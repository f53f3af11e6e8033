"""Every table, row by row, beside a reading of the same JSON in plain Python."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import duckdb
import pytest
from needs import REAL_DATA, needs_real_data
from odd_records import odd_movies, odd_people
from plain_reading import KEYS, read, tables

from tmdb_scrapy.kinds import KINDS
from tmdb_scrapy.sandbox.catalogue.generated import GeneratedCatalogue
from tmdb_scrapy.tables.database import DATABASE


def compare(target: Path) -> set[str]:
    """Compare Parquet files and database with the plain reading; returns the tables that have rows."""
    expected = tables(read(target.parent))
    with duckdb.connect(str(target / DATABASE), read_only=True) as database:
        names = [row[0] for row in database.execute("SELECT table_name FROM duckdb_tables()").fetchall()]
        for name in sorted({*names} - {"metadata"}):
            parquet = duckdb.execute(f"FROM '{target / name}.parquet'").fetchall()
            assert parquet == expected[name], name
            assert sorted(database.execute(f"FROM {name}").fetchall(), key=_key(name)) == expected[name], name
        if "movies" in names:
            flat = database.execute("FROM movies_flat").fetchall()
            assert sorted(flat, key=_key("movies_flat")) == expected["movies_flat"]
    return {name for name in names if expected.get(name)}


def _key(name: str) -> Any:
    return lambda row: row[: KEYS.get(name, 1)]


def test_the_sandboxs_catalogue(make: Any) -> None:
    counts = {"movies": 500, "people": 80, "tv": 80} | dict.fromkeys(
        KINDS.keys() - {"movies", "people", "tv"}, 40
    )
    catalogue = GeneratedCatalogue(counts, seed=3)
    lines = {
        name: [
            body + b"\n"
            for number in catalogue.ids(name)
            if (body := catalogue.body(name, number, [*kind.appended, "external_ids"]))
        ]
        for name, kind in KINDS.items()
    }
    with_rows = compare(make(lines))
    wanted = {table for kind in KINDS.values() for table in kind.tables}
    assert with_rows >= wanted - {"movies_flat", "tv_creators", "tv_companies"}, (
        "its series have no such lists"
    )


def test_odd_records(make: Any) -> None:
    compare(make({"movies": odd_movies(), "people": odd_people()}))


@pytest.mark.parametrize("kind", ["movies", "people"])
def test_odd_records_of_one_kind_alone(make: Any, kind: str) -> None:
    compare(make({kind: {"movies": odd_movies(), "people": odd_people()}[kind]}))


ODD_VALUES: list[Any] = [None, {}, [], "x", "", 5, 2.5, -1, 2**63, True, [None], [{}], [5], {"id": 1}]
REMOVED = object()


def odd_variants(value: Any) -> Iterator[Any]:
    """A value with each field at whatever depth gone or odd; of a list, the first element alone."""
    if isinstance(value, dict):
        for name, inner in value.items():
            for odd in (REMOVED, *ODD_VALUES):
                yield _with(value, name, odd)
            for changed in odd_variants(inner):
                yield value | {name: changed}
    elif isinstance(value, list) and value:
        for changed in odd_variants(value[0]):
            yield [changed]


def _with(record: dict[str, Any], name: str, value: Any) -> dict[str, Any]:
    if value is REMOVED:
        return {other: found for other, found in record.items() if other != name}
    return record | {name: value}


@pytest.mark.parametrize("kind", [name for name, kind in KINDS.items() if kind.tables])
def test_every_field_of_every_kind_may_be_odd(make: Any, kind: str) -> None:
    catalogue = GeneratedCatalogue({kind: 30}, seed=4)
    bodies = (catalogue.body(kind, n, [*KINDS[kind].appended, "external_ids"]) for n in catalogue.ids(kind))
    richest = json.loads(max((body for body in bodies if body and len(body) < 9_000), key=len))
    variants = [one | {"id": number} for number, one in enumerate(odd_variants(richest), 1)]
    assert len(variants) > len(ODD_VALUES)
    compare(make({kind: [json.dumps(one).encode() + b"\n" for one in variants]}))


@needs_real_data
def test_the_4803_real_movies(make: Any) -> None:
    lines = (REAL_DATA / "movies-4803.jsonl").read_bytes().splitlines(keepends=True)
    compare(make({"movies": lines}))


RECORDED = {
    "movies": "movie", "people": "person", "tv": "tv", "collections": "collection", "companies": "company",
    "networks": "network", "keywords": "keyword",
}  # fmt: skip


@needs_real_data
def test_all_recorded_bodies(make: Any) -> None:
    lines: dict[str, list[bytes]] = {}
    for kind, singular in RECORDED.items():
        paths = sorted((REAL_DATA / "recorded").glob(f"{singular}-[0-9l]*.json"))
        bodies = [json.loads(path.read_bytes()) for path in paths]
        lines[kind] = [
            json.dumps(body).encode() + b"\n" for body in bodies if isinstance(body.get("id"), int)
        ]
    with_rows = compare(
        make({"tv": _whole_series(lines["tv"]), **{k: v for k, v in lines.items() if k != "tv"}})
    )
    assert {"tv_cast", "tv_crew", "tv_seasons", "tv_networks", "tv_creators", "tv_keywords"} <= with_rows
    assert {"collection_movies", "companies", "networks", "person_credits", "movie_crew"} <= with_rows


def _whole_series(lines: list[bytes]) -> list[bytes]:
    """Recordings of parts alone become records as `append_to_response` gives them."""
    whole = []
    for line in lines:
        body = json.loads(line)
        if "cast" in body:
            body = {"id": body["id"], "aggregate_credits": {"cast": body["cast"], "crew": body["crew"]}}
        elif "results" in body:
            body = {"id": body["id"], "keywords": {"results": body["results"]}}
        whole.append(json.dumps(body).encode() + b"\n")
    return whole
