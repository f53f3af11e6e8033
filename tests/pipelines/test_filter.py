"""Exactly the original's rule, told by an oracle that reads the same JSON in another way."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scrapy import Spider
from scrapy.exceptions import DropItem
from scrapy.utils.test import get_crawler

from tmdb_scrapy.config import Config
from tmdb_scrapy.kinds import KINDS
from tmdb_scrapy.kinds.kind import Skipped
from tmdb_scrapy.kinds.movies import Credits, MovieDeciding, disqualify
from tmdb_scrapy.pipelines.filter import Filtered, FilterPipeline
from tmdb_scrapy.records.record import Record, RecordReader

read_movie = RecordReader(KINDS["movies"], ()).read
SOME = [Skipped()]


def movie(**change: Any) -> Record:
    """A movie that just qualifies, but for `change`."""
    credits = Credits(cast=change.pop("cast", SOME), crew=change.pop("crew", SOME))
    fields = {"budget": 1_001, "revenue": 10_000_000, "genres": SOME, "credits": credits, **change}
    return Record(KINDS["movies"], 7, b"", MovieDeciding(**fields))


def disqualification(record: Record, min_budget: int, min_revenue: int) -> str | None:
    assert isinstance(record.deciding, MovieDeciding)
    return disqualify(record.deciding, {"MIN_BUDGET": min_budget, "MIN_REVENUE": min_revenue})


JUNK = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=6,
)
ABSENT = object()
BUDGETS = st.sampled_from([1_000, 1_001]) | st.integers(0, 10**9) | JUNK | st.just(ABSENT)
REVENUES = st.sampled_from([9_999_999, 10_000_000]) | st.integers(0, 10**10) | JUNK | st.just(ABSENT)
LISTS = st.lists(JUNK, min_size=1, max_size=2) | st.lists(st.fixed_dictionaries({"name": st.text()}))
ODD_LISTS = LISTS | JUNK | st.just(ABSENT)
GOOD = st.fixed_dictionaries({
    "budget": st.integers(900, 1_100),
    "revenue": st.integers(9_999_990, 10_000_010),
    "genres": LISTS,
    "credits": st.fixed_dictionaries({"cast": LISTS, "crew": LISTS}),
})  # fmt: skip
ODD = st.fixed_dictionaries({
    "budget": BUDGETS,
    "revenue": REVENUES,
    "genres": ODD_LISTS,
    "credits": st.fixed_dictionaries({"cast": ODD_LISTS, "crew": ODD_LISTS}) | JUNK | st.just(ABSENT),
})  # fmt: skip


def body_of(fields: dict[str, Any], junk: dict[str, Any]) -> bytes:
    """A record with these fields among others."""

    def present(value: Any) -> Any:
        if isinstance(value, dict):
            return {key: present(inner) for key, inner in value.items() if inner is not ABSENT}
        return value

    return json.dumps({**junk, **present(fields), "id": 7}, ensure_ascii=False).encode()


def is_number(value: Any) -> bool:
    return type(value) in {int, float}


def qualifies(body: bytes) -> bool:
    """The original's rule, read from the JSON as plainly as it can be said."""
    record = json.loads(body)
    budget, revenue = record.get("budget"), record.get("revenue")
    credits = record.get("credits")
    lists = [record.get("genres")]
    lists += [credits.get("cast"), credits.get("crew")] if type(credits) is dict else [None, None]
    return (
        is_number(budget)
        and budget > 1000
        and is_number(revenue)
        and revenue >= 10_000_000
        and all(type(each) is list and len(each) > 0 for each in lists)
    )


@given(GOOD | ODD, st.dictionaries(st.text(), JUNK, max_size=3))
def test_kept_exactly_when_the_original_would(fields: dict[str, Any], junk: dict[str, Any]) -> None:
    body = body_of(fields, junk)
    reason = disqualification(read_movie(7, body), min_budget=1000, min_revenue=10_000_000)
    assert (reason is None) == qualifies(body)
    assert reason in {None, "budget", "revenue", "genres", "cast", "crew"}


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({}, None),
        ({"budget": 1_000}, "budget"),
        ({"budget": 0}, "budget"),
        ({"budget": -5_000}, "budget"),
        ({"budget": None}, "budget"),
        ({"revenue": 9_999_999}, "revenue"),
        ({"revenue": 0}, "revenue"),
        ({"revenue": None}, "revenue"),
        ({"genres": []}, "genres"),
        ({"cast": []}, "cast"),
        ({"crew": None}, "crew"),
        ({"budget": 0, "revenue": 0, "genres": []}, "budget"),
        ({"cast": [], "crew": None}, "cast"),
    ],
)
def test_the_first_field_that_fails_is_the_reason(change: dict[str, Any], reason: str | None) -> None:
    assert disqualification(movie(**change), 1_000, 10_000_000) == reason


@pytest.mark.parametrize(
    ("budget", "revenue", "reason"),
    [(5, 7, None), (4, 7, "budget"), (5, 6, "revenue")],
)
def test_limits_of_the_users_own(budget: int, revenue: int, reason: str | None) -> None:
    record = movie(budget=budget, revenue=revenue)
    assert disqualification(record, min_budget=4, min_revenue=7) == reason


class TestPipeline:
    def pipeline(self, **environment: str) -> FilterPipeline:
        config = Config.load(environment, Path("/nonexistent"))
        self.crawler = get_crawler(Spider, {"TMDB_CONFIG": config})
        return FilterPipeline.from_crawler(self.crawler)

    def test_a_movie_that_qualifies_passes(self) -> None:
        assert self.pipeline().process_item(good := movie()) is good

    def test_a_drop_has_its_reason_in_the_stats(self) -> None:
        pipeline = self.pipeline()
        for _ in range(2):
            with pytest.raises(Filtered) as caught:
                pipeline.process_item(movie(budget=1_000))
            assert isinstance(caught.value, DropItem)
            assert caught.value.reason == "budget"
        assert self.crawler.stats is not None
        assert self.crawler.stats.get_value("filter/budget") == 2

    def test_the_limits_are_those_of_the_configuration(self) -> None:
        pipeline = self.pipeline(MIN_BUDGET="0", MIN_REVENUE="1")
        poor = movie(budget=1, revenue=1)
        assert pipeline.process_item(poor) is poor
        with pytest.raises(Filtered):
            pipeline.process_item(movie(budget=0))

    def test_off_keeps_every_movie(self) -> None:
        nothing = Record(KINDS["movies"], 7, b"", MovieDeciding())
        assert self.pipeline(FILTER="off").process_item(nothing) is nothing

    def test_people_pass(self) -> None:
        person = Record(KINDS["people"], 7, b"", KINDS["people"].deciding())
        assert self.pipeline().process_item(person) is person
