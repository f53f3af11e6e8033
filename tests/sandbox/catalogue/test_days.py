"""A generated catalogue on different days."""

from __future__ import annotations

import json
from itertools import pairwise
from typing import Any

import pytest

from tmdb_scrapy.kinds import KINDS
from tmdb_scrapy.sandbox.catalogue.generated import GeneratedCatalogue

COUNTS = dict.fromkeys(KINDS, 400)
APPENDED = ["credits", "keywords"]


@pytest.fixture(scope="module")
def first() -> GeneratedCatalogue:
    return GeneratedCatalogue(COUNTS, seed=11)


def popularity(catalogue: GeneratedCatalogue, kind: str) -> dict[int, float]:
    lines = (json.loads(catalogue.export_line(kind, number)) for number in catalogue.ids(kind))
    return {line["id"]: line["popularity"] for line in lines}


@pytest.mark.parametrize("kind", KINDS)
def test_ids_come_go_and_come_back(first: GeneratedCatalogue, kind: str) -> None:
    days = [set(first.at(day).ids(kind)) for day in range(16)]
    assert all(after - before for before, after in pairwise(days)), "added"
    gone = [before - after for before, after in pairwise(days)]
    assert all(gone[day] for day in range(5)), "deleted"
    assert set().union(*gone[:5]) & days[15], "back"
    assert set().union(*gone[:5]) - days[15], "gone for good"


@pytest.mark.parametrize("kind", KINDS)
def test_an_export_after_the_first_has_exactly_what_is_there(first: GeneratedCatalogue, kind: str) -> None:
    assert "missing" in dict(first.expected(kind)).values()
    later = first.at(4)
    expected = dict(later.expected(kind))
    assert "missing" not in expected.values()
    ever = set(first.ids(kind)) | set(expected)
    assert {number for number in ever if later.body(kind, number) is not None} == set(expected)


@pytest.mark.parametrize("kind", [name for name, kind in KINDS.items() if kind.has_changes])
def test_records_that_stay_differ_exactly_where_the_feed_tells(first: GeneratedCatalogue, kind: str) -> None:
    before, after = first.at(6), first.at(7)
    told = set(after.changed(kind))
    for number in set(before.ids(kind)) & set(after.ids(kind)):
        same = before.body(kind, number, APPENDED) == after.body(kind, number, APPENDED)
        assert same == (number not in told), number
    assert told - set(before.ids(kind)), "those that were added are told of"
    assert not told - set(after.ids(kind)), "nothing is told of those that are gone"


@pytest.mark.parametrize("kind", [name for name, kind in KINDS.items() if not kind.has_changes])
def test_kinds_without_a_feed_have_no_edits(first: GeneratedCatalogue, kind: str) -> None:
    later = first.at(20)
    staying = set(first.ids(kind)) & set(later.ids(kind))
    there = [number for number in staying if first.body(kind, number)]
    assert there and all(first.body(kind, number) == later.body(kind, number) for number in there)


def test_an_edit_can_change_what_the_filter_decides(first: GeneratedCatalogue) -> None:
    later = first.at(30)
    changes = {
        (first.outcome("movies", number), later.outcome("movies", number))
        for number in set(first.ids("movies")) & set(later.ids("movies"))
    }
    assert {("kept", "dropped"), ("dropped", "kept"), ("kept", "kept")} <= changes


def test_outcomes_agree_with_the_bodies_on_a_late_day(first: GeneratedCatalogue) -> None:
    later = first.at(15)
    for number, outcome in later.expected("movies"):
        movie = json.loads(later.body("movies", number, APPENDED) or b"")
        assert plain_rule(movie) == (outcome == "kept"), number


def plain_rule(movie: dict[str, Any]) -> bool:
    """The original program's filter in its plainest words."""
    people = movie.get("credits") or {}
    return bool(
        (movie.get("budget") or 0) > 1000
        and (movie.get("revenue") or 0) >= 10_000_000
        and movie.get("genres")
        and people.get("cast")
        and people.get("crew")
    )


def test_popularity_falls_in_the_export_and_the_feed_does_not_tell(first: GeneratedCatalogue) -> None:
    before, after = popularity(first.at(3), "people"), popularity(first.at(4), "people")
    fallen = {number for number in before.keys() & after.keys() if after[number] < before[number] / 4}
    assert fallen and not fallen <= set(first.at(4).changed("people"))


@pytest.mark.parametrize("kind", KINDS)
def test_a_day_is_the_same_whoever_asks_and_in_whatever_order(kind: str) -> None:
    one, other = GeneratedCatalogue(COUNTS, seed=2), GeneratedCatalogue(COUNTS, seed=2)
    other.at(9), list(other.at(20).ids(kind))
    ids = list(one.at(9).ids(kind))
    assert ids == list(other.at(9).ids(kind))
    bodies = [one.at(9).body(kind, number) for number in ids]
    assert bodies == [other.at(9).body(kind, number) for number in reversed(ids)][::-1]


def test_a_share_that_is_deleted_has_the_most_popular_among_it() -> None:
    catalogue = GeneratedCatalogue({"movies": 3000, "tv": 3000}, deleted_share=0.3)
    for kind in ("movies", "tv"):
        ranked = sorted(popularity(catalogue, kind).items(), key=lambda item: -item[1])
        outcomes = [catalogue.outcome(kind, number) for number, _ in ranked]
        assert set(outcomes[:300]) == {"missing"}
        assert 0.27 < outcomes.count("missing") / 3000 < 0.34
        assert all(catalogue.body(kind, number) is None for number, _ in ranked[:50])


def test_the_number_of_successful_movies_can_be_chosen() -> None:
    catalogue = GeneratedCatalogue({"movies": 20_000}, successful=300)
    revenues = [int(value) for _, value, _, _ in catalogue.listed("movies", "revenue")]
    assert 250 < sum(revenue >= 10_000_000 for revenue in revenues) < 350


@pytest.mark.parametrize("day", [0, 13])
def test_what_discover_sorts_by_is_what_the_records_say(first: GeneratedCatalogue, day: int) -> None:
    catalogue = first.at(day)
    fields = {"revenue": 0, "vote_count": 0, "vote_average": 0.0, "title": "", "original_title": ""}
    for field, nothing in fields.items():
        for number, value, released, is_video in catalogue.listed("movies", field):
            movie = json.loads(catalogue.body("movies", number) or b"")
            assert value == (movie.get(field) or nothing)
            assert str(released or "") == movie["release_date"].replace("-", "")
            assert is_video == movie["video"]
    listed = {number for number, *_ in catalogue.listed("movies", "revenue")}
    assert listed == {number for number, outcome in catalogue.expected("movies") if outcome != "missing"}


def test_a_kind_that_cannot_be_listed_says_so(first: GeneratedCatalogue) -> None:
    with pytest.raises(KeyError):
        list(first.listed("people", "popularity"))
    with pytest.raises(KeyError):
        list(first.listed("movies", "budget"))
