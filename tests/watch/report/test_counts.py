"""The report's numbers beside a count in plain Python: from lines and from tables, they are the same."""

from __future__ import annotations

import json
import math
import random
from collections import Counter
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from needs import REAL_DATA, needs_real_data
from odd_records import movie, odd_movies
from sets import make_set

from tmdb_scrapy.sandbox.catalogue.generated import GeneratedCatalogue
from tmdb_scrapy.tables.source import BrokenLine
from tmdb_scrapy.watch.report.casts import Casts
from tmdb_scrapy.watch.report.collected import CONNECTED, FIELDS, Amount, Collected
from tmdb_scrapy.watch.report.from_lines import from_lines
from tmdb_scrapy.watch.report.from_tables import from_tables

COUNTED = [name for name in Collected.__slots__ if name not in ("movies", "connected")]


def both(directory: Path, lines: list[bytes]) -> tuple[Collected, Collected]:
    """What is counted in lines, and in the tables that are made of them."""
    tables = make_set(directory, {"movies": lines})
    temporary = directory / "temporary"
    temporary.mkdir()
    return from_lines(directory / "movies.jsonl", lambda count: None), from_tables(tables, temporary)


def assert_same(one: Collected, other: Collected) -> None:
    for name in COUNTED:
        assert +getattr(one, name) == +getattr(other, name), name
    assert (one.movies, one.connected) == (other.movies, other.connected)


def is_day(text: Any) -> bool:
    try:
        return isinstance(text, str) and datetime.strptime(text, "%Y-%m-%d").strftime("%4Y-%m-%d") == text
    except ValueError:
        return False


def assert_true(found: Collected, lines: list[bytes]) -> None:
    """Compare with a count of ordinary records, each thing in a way of its own."""
    movies = [json.loads(line) for line in lines]
    assert found.movies == len(movies)
    assert +found.decades == Counter(
        int(m["release_date"][:3] + "0") for m in movies if is_day(m.get("release_date"))
    )
    genres = Counter(name for m in movies for name in {genre["name"] for genre in m.get("genres", [])})
    assert found.genres == genres
    countries = Counter(
        name for m in movies for name in {c["name"] for c in m.get("production_countries", [])}
    )
    assert found.countries == countries
    assert found.languages.total() == sum(1 for m in movies if m.get("original_language"))
    assert found.runtimes.total() == found.complete["runtime"] == sum(1 for m in movies if m.get("runtime"))
    assert found.runtimes[240] == sum(1 for m in movies if (m.get("runtime") or 0) >= 240)
    assert found.votes.total() == sum(1 for m in movies if m.get("vote_count"))
    assert found.votes[7] == sum(1 for m in movies if m.get("vote_count") and 7 <= m["vote_average"] < 8)
    assert +found.money == Counter(
        (least(m["budget"]), least(m["revenue"])) for m in movies if m.get("budget") and m.get("revenue")
    )
    for name, key in {
        "overview": "overview",
        "poster": "poster_path",
        "imdb_id": "imdb_id",
        "revenue": "revenue",
    }.items():
        assert found.complete[name] == sum(1 for m in movies if m.get(key)), name
    assert found.complete["cast"] == sum(1 for m in movies if m.get("credits", {}).get("cast"))
    assert [(one.person_id, one.others, one.movies) for one in found.connected] == connected(movies)


def least(dollars: int) -> Amount:
    """The class of an amount, by trying all."""
    every = [Amount(power, digit) for power in range(20) for digit in (1, 2, 5)]
    return max(one for one in every if one.dollars <= dollars)


def connected(movies: list[dict[str, Any]]) -> list[tuple[int, int, int]]:
    with_whom: dict[int, set[int]] = {}
    of: Counter[int] = Counter()
    for one in movies:
        cast = {entry["id"] for entry in one.get("credits", {}).get("cast", [])}
        for person in cast:
            with_whom.setdefault(person, set()).update(cast - {person})
            of[person] += 1
    ordered = sorted(with_whom, key=lambda person: (-len(with_whom[person]), person))
    return [
        (person, len(with_whom[person]), of[person]) for person in ordered[:CONNECTED] if with_whom[person]
    ]


def test_the_sandboxs_movies(tmp_path: Path) -> None:
    catalogue = GeneratedCatalogue({"movies": 400}, seed=5)
    appended = ["credits", "keywords", "similar", "recommendations"]
    bodies = (catalogue.body("movies", number, appended) for number in catalogue.ids("movies"))
    lines = [body + b"\n" for body in bodies if body]
    in_lines, in_tables = both(tmp_path, lines)
    assert_same(in_lines, in_tables)
    assert_true(in_lines, lines)
    assert set(+in_lines.complete) == {*FIELDS}


@needs_real_data
def test_the_4803_real_movies(tmp_path: Path) -> None:
    lines = (REAL_DATA / "movies-4803.jsonl").read_bytes().splitlines(keepends=True)
    in_lines, in_tables = both(tmp_path, lines)
    assert_same(in_lines, in_tables)
    assert_true(in_lines, lines)
    assert in_lines.movies == 4803


def test_odd_records(tmp_path: Path) -> None:
    """Each ID once, as in a merged file; and each credit once, as TMDb has them."""
    by_id = {json.loads(line)["id"]: line for line in odd_movies() if b'"double"' not in line}
    in_lines, in_tables = both(tmp_path, [*by_id.values()])
    assert_same(in_lines, in_tables)


def test_nothing_at_all(tmp_path: Path) -> None:
    in_lines, in_tables = both(tmp_path, [])
    assert_same(in_lines, in_tables)
    assert in_lines.movies == 0


def test_a_broken_line_is_named(tmp_path: Path) -> None:
    path = tmp_path / "movies.jsonl"
    path.write_bytes(json.dumps(movie(1)).encode() + b'\n{"id":2,\n')
    with pytest.raises(BrokenLine, match=r"movies\.jsonl, line 2"):
        from_lines(path, lambda count: None)


@pytest.mark.parametrize("dollars", [1, 2, 4, 5, 9, 10, 19, 20, 49, 50, 999, 1_000, 4_999_999, 2**63 - 1])
def test_classes_of_amounts_begin_with_1_2_and_5(dollars: int) -> None:
    assert Amount.of(dollars) == least(dollars)
    assert Amount.of(dollars).dollars <= dollars


@pytest.mark.parametrize("seed", range(6))
def test_the_best_connected_are_exact_however_many_candidates_that_takes(
    monkeypatch: pytest.MonkeyPatch, seed: int
) -> None:
    monkeypatch.setattr("tmdb_scrapy.watch.report.casts.FIRST_CANDIDATES", 2)
    monkeypatch.setattr("tmdb_scrapy.watch.report.casts.DENSE_IDS", 30)
    draw = random.Random(seed)
    people = [*range(1, 60), 2**40]
    movies = [
        {"credits": {"cast": [{"id": person} for person in draw.sample(people, draw.randint(0, 9))]}}
        for _ in range(draw.choice([3, 40]))
    ]
    casts = Casts()
    for one in movies:
        casts.add({entry["id"] for entry in one["credits"]["cast"]})
    found = casts.most_connected(CONNECTED)
    assert [(person, place.others, place.movies) for person, place in found.items()] == connected(movies)
    assert all(math.isfinite(place.last) for place in found.values())
