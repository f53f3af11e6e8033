from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from datetime import date, timedelta
from typing import Any

import pytest

from tmdb_scrapy.kinds import KINDS
from tmdb_scrapy.sandbox.catalogue.generated import GeneratedCatalogue
from tmdb_scrapy.sandbox.server.calendar import Calendar
from tmdb_scrapy.sandbox.server.changes import Changes
from tmdb_scrapy.sandbox.server.settings import Settings

TODAY = date(2026, 11, 25)
DAY = 20
WITH_A_FEED = [name for name, kind in KINDS.items() if kind.has_changes]


class Feed:
    """The change feed of a small catalogue on its twentieth day."""

    def __init__(self, movies: int = 4000, **settings: Any) -> None:
        self.settings = Settings(**settings)
        self.catalogue = GeneratedCatalogue({"movies": movies, "people": 500, "tv": 500})
        self.calendar = Calendar(self.catalogue)
        self.calendar.set(DAY, TODAY)
        self._changes = Changes(self.calendar, 0, lambda: self.settings)

    def page(self, kind: str = "movies", **query: str) -> Mapping[str, Any]:
        response = self._changes.respond(kind, query)
        assert response.status == 200, response.body
        page: Mapping[str, Any] = json.loads(response.body)
        return page

    def entries(self, kind: str = "movies", **query: str) -> Iterator[dict[str, Any]]:
        pages = int(self.page(kind, **query)["total_pages"])
        for number in range(1, pages + 1):
            yield from self.page(kind, page=str(number), **query)["results"]

    def ids(self, kind: str = "movies", **query: str) -> set[int]:
        return {entry["id"] for entry in self.entries(kind, **query)} - {None}

    def status(self, **query: str) -> tuple[int, int]:
        response = self._changes.respond("movies", query)
        return response.status, json.loads(response.body)["status_code"]


@pytest.fixture(scope="module")
def feed() -> Feed:
    return Feed()


def on(days_ago: int) -> str:
    return (TODAY - timedelta(days=days_ago)).isoformat()


def within(first_ago: int, last_ago: int) -> dict[str, str]:
    return {"start_date": on(first_ago), "end_date": on(last_ago)}


@pytest.mark.parametrize("kind", WITH_A_FEED)
def test_a_window_tells_every_day_in_it_the_first_and_the_last_included(feed: Feed, kind: str) -> None:
    told = feed.ids(kind, **within(5, 3))
    days = [set(feed.catalogue.at(DAY - ago).changed(kind)) for ago in (5, 4, 3)]
    assert told == set().union(*days)
    assert feed.ids(kind, **within(4, 4)) == days[1]


def test_the_last_24_hours_are_told_where_nothing_is_said(feed: Feed) -> None:
    assert feed.ids() == feed.ids(**within(1, 0))
    assert feed.ids(end_date=on(3)) == feed.ids(**within(4, 3))


def test_a_window_of_months_ago_still_tells(feed: Feed) -> None:
    assert feed.ids(**within(200, 190))


def test_nothing_is_told_of_the_future(feed: Feed) -> None:
    assert feed.page(**within(-5, -9))["total_results"] == 0
    assert feed.ids(**within(0, -9)) == feed.ids(**within(0, 0))


def test_fourteen_days_are_told_and_fifteen_are_not(feed: Feed) -> None:
    assert feed.page(**within(14, 0))["page"] == 1
    assert feed.status(**within(15, 0)) == (422, 20)


def test_pages_have_a_hundred_entries_and_all_together_the_total(feed: Feed) -> None:
    first = feed.page(**within(13, 0))
    entries = list(feed.entries(**within(13, 0)))
    assert first["total_pages"] > 2 and len(first["results"]) == 100
    assert len(entries) == first["total_results"]
    assert feed.page(page=str(first["total_pages"] + 1), **within(13, 0))["results"] == []


def test_pages_past_the_500th_are_refused_though_there_are_more() -> None:
    large = Feed(movies=100_000)
    assert large.page(**within(13, 0))["total_pages"] > 500
    assert large.page(page="500", **within(13, 0))["results"]
    assert large.status(page="501", **within(13, 0)) == (400, 22)


def test_some_entries_have_no_id_some_come_twice_and_some_say_nothing_of_adult(feed: Feed) -> None:
    entries = list(feed.entries(**within(9, 6)))
    ids = [entry["id"] for entry in entries]
    assert None in ids and len(ids) > len(set(ids))
    assert {entry["adult"] for entry in entries} == {False, None}
    assert all(entry["adult"] is None for entry in entries if entry["id"] is None)


def test_neither_deletions_nor_merges_are_told(feed: Feed) -> None:
    before, after = (set(feed.catalogue.at(day).ids("movies")) for day in (DAY - 1, DAY))
    assert before - after and not (before - after) & feed.ids(**within(0, 0))


def test_a_cached_feed_tells_some_changes_a_day_later() -> None:
    late, whole = Feed(late_changes=0.4), Feed()
    today = within(0, 0)
    missing = whole.ids(**today) - late.ids(**today)
    assert 0.25 < len(missing) / len(whole.ids(**today)) < 0.55
    late.calendar.set(DAY + 1, TODAY + timedelta(days=1))
    assert missing <= late.ids(**today)


@pytest.mark.parametrize("bad", ["2026-8-1", "20260801", "2026-13-01", "x"])
def test_dates_that_are_none_are_refused(feed: Feed, bad: str) -> None:
    assert feed.status(start_date=bad) == (422, 20)
