from __future__ import annotations

import asyncio
import datetime
import functools
import itertools
import json
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

import pytest

from tmdb_scrapy.kinds import KINDS
from tmdb_scrapy.sources.changes import FeedError
from tmdb_scrapy.sources.discover import discover, read_discovered, slices, write_discovered

LEAST = 10_000_000


class Movie(NamedTuple):
    released: str
    revenue: int


class Tmdb:
    """Discover and records as TMDb gives them; what is in `deleted` is still listed."""

    def __init__(self, movies: Mapping[int, Movie], deleted: frozenset[int] = frozenset()) -> None:
        self._movies, self._deleted = movies, deleted
        self.asked = 0
        self.highest_page = 0

    async def ask(self, path: str, query: Mapping[str, str]) -> bytes:
        assert path == "discover/movie" and query["sort_by"] == "revenue.desc"
        page = int(query["page"])
        assert 1 <= page <= 500
        self.asked += 1
        self.highest_page = max(self.highest_page, page)
        first = query.get("primary_release_date.gte", "")
        last = query.get("primary_release_date.lte", "9999")
        found = self._listed(first, last)
        results = [{"id": each} for each in found[(page - 1) * 20 : page * 20]]
        return json.dumps({"page": page, "results": results, "total_pages": -(-len(found) // 20)}).encode()

    @functools.cache  # noqa: B019  # it ends with its test
    def _listed(self, first: str, last: str) -> list[int]:
        found = [each for each, movie in self._movies.items() if first <= movie.released <= last]
        return sorted(found, key=lambda each: -self._movies[each].revenue)

    async def look(self, path: str, query: Mapping[str, str]) -> bytes | None:
        self.asked += 1
        tmdb_id = int(path.removeprefix("movie/"))
        if tmdb_id in self._deleted:
            return None
        return json.dumps({"id": tmdb_id, "revenue": self._movies[tmdb_id].revenue or None}).encode()

    def discover(self, least: int = LEAST) -> set[int]:
        return set(asyncio.run(discover(self.ask, self.look, KINDS["movies"], least, 2026)))


def movies(count: int, earned: int, released: str = "2001-05-04") -> dict[int, Movie]:
    """So many released on one day, of which the first `earned` have the revenue."""
    return {
        each: Movie(released, 2 * LEAST - each if each <= earned else LEAST - each)
        for each in range(1, count + 1)
    }


@pytest.mark.parametrize("earned", [0, 1, 19, 20, 21, 40, 41, 160, 199, 200])
def test_all_that_have_the_revenue_are_found_wherever_the_border_lies(earned: int) -> None:
    found = Tmdb(movies(200, earned)).discover()
    assert found == set(range(1, earned + 1))


def test_the_limit_is_included() -> None:
    assert Tmdb({1: Movie("1999-01-01", LEAST), 2: Movie("1998-01-01", LEAST - 1)}).discover() == {1}


def test_undated_old_and_announced_ones_are_found() -> None:
    told = {1: Movie("", LEAST), 2: Movie("1874-12-09", LEAST), 3: Movie("2039-01-01", LEAST)}
    assert Tmdb(told).discover() == {1, 2, 3}


def test_deleted_ones_that_are_still_listed_do_not_end_the_search() -> None:
    tmdb = Tmdb(movies(100, 60), deleted=frozenset({1, 21, 41}))
    assert set(range(1, 61)) <= tmdb.discover() <= set(range(1, 63))


def test_where_500_pages_do_not_suffice_the_days_are_halved() -> None:
    told = {each: Movie(f"2001-0{each % 9 + 1}-11", 2 * LEAST) for each in range(1, 12_001)}
    tmdb = Tmdb(told)
    assert tmdb.discover() == set(told)
    assert tmdb.highest_page == 500


def test_the_end_is_found_in_few_requests() -> None:
    tmdb = Tmdb(movies(9_000, 100))
    tmdb.discover()
    empty = 2 + 2 * len(list(slices(2026, 1)))
    assert tmdb.asked < empty + 3 * 30


@pytest.mark.parametrize("years", [1, 4])
def test_slices_have_every_day_once(years: int) -> None:
    found = list(slices(2026, years))
    assert found[0][0] <= datetime.date(1874, 1, 1) and found[-1][1] >= datetime.date(2100, 1, 1)
    for (_, last), (first, _) in itertools.pairwise(found):
        assert first - last == datetime.timedelta(days=1)


def test_what_is_no_page_is_refused() -> None:
    async def nonsense(path: str, query: Mapping[str, str]) -> bytes:
        return b'{"success":true}'

    with pytest.raises(FeedError, match="discover of movies"):
        asyncio.run(discover(nonsense, nonsense, KINDS["movies"], LEAST, 2026))


def test_what_was_discovered_before_stays_known(tmp_path: Path) -> None:
    file = tmp_path / "exports/movies.discovered"
    assert read_discovered(file) == []
    assert write_discovered(file, [3, 1]) == [1, 3]
    assert write_discovered(file, [2]) == [1, 2, 3] == read_discovered(file)
