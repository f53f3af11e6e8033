from __future__ import annotations

import datetime
import json
from collections.abc import Collection, Mapping
from pathlib import Path

import pytest

from tmdb_scrapy.kinds import KINDS
from tmdb_scrapy.queue.freshness import Known
from tmdb_scrapy.queue.id_queue import days_since_first
from tmdb_scrapy.sources.difference import Plan, compare, plan
from tmdb_scrapy.sources.seeded import Selection

TODAY = datetime.date(2026, 8, 31)
ALL = Selection(file="")


def ledger(states: Mapping[int, str]) -> bytes:
    content = bytearray(max(states) + 1)
    for tmdb_id, state in states.items():
        content[tmdb_id] = ord(state)
    return bytes(content)


def mask(ids: set[int]) -> bytes:
    return bytes(tmdb_id in ids for tmdb_id in range(max(ids) + 1))


def known(
    states: Mapping[int, str], exported: set[int] | None = None, ages: Mapping[int, int] | None = None
) -> Known:
    content = ledger(states)
    fetched = bytearray(2 * len(content))
    for tmdb_id, age in (ages or {}).items():
        day = days_since_first(TODAY) - age
        fetched[2 * tmdb_id : 2 * tmdb_id + 2] = day.to_bytes(2, "big")
    return Known(content, bytes(fetched), mask(exported) if exported else None, TODAY, TODAY, ())


class Planner:
    def __init__(self, path: Path) -> None:
        self._path = path

    def __call__(
        self, known: Known, exported: set[int], changed: Collection[int] = (), everything: bool = False,
        selections: tuple[Selection, ...] = (ALL,),
    ) -> Plan:  # fmt: skip
        lines = (json.dumps({"id": each, "popularity": each / 2, "original_title": "x"}) for each in exported)
        self._path.write_text("\n".join(lines))
        compared = compare(self._path, KINDS["movies"], selections, known.ledger)
        return plan(known, compared, changed, TODAY - datetime.timedelta(days=150), everything=everything)


@pytest.fixture
def planned(tmp_path: Path) -> Planner:
    return Planner(tmp_path / "movies.json")


def reasons(plan: Plan) -> dict[str, list[int]]:
    return {reason: ids for reason, ids in plan.by_reason.items() if ids}


MANY = dict.fromkeys(range(100, 200), "k")
"""Enough that one that is gone leaves the export whole."""


def test_each_id_has_one_reason_the_first_that_is_true(planned: Planner) -> None:
    states = {1: "k", 2: "m", 3: "k", 4: "k", 5: "f", 6: "F", 7: "b", 8: "m", **MANY}
    before = known(states, {1, 3, 4, 8, *MANY}, ages={1: 200, 3: 151, 4: 150, 7: 151})
    found = planned(before, {1, 2, 4, 5, 6, 7, 9, *MANY}, changed={1, 2, 9})
    assert reasons(found) == {"new": [9], "changed": [1, 2], "gone": [3], "over age": [7], "failed": [5, 6]}


def test_what_waits_already_is_nobodys(planned: Planner) -> None:
    before = known({1: "q", 2: "K", **MANY}, {1, 2, *MANY}, ages={1: 999, 2: 999})
    assert reasons(planned(before, set(MANY), changed={1, 2}, everything=False)) == {}


def test_a_missing_one_is_asked_for_again_only_when_it_had_been_gone(planned: Planner) -> None:
    before = known({1: "m", 2: "m", **MANY}, {1, *MANY})
    assert reasons(planned(before, {1, 2, *MANY})) == {"back": [2]}
    assert reasons(planned(known({1: "m", 2: "m", **MANY}), {1, 2, *MANY})) == {}


def test_what_was_never_exported_is_not_gone_every_day(planned: Planner) -> None:
    assert reasons(planned(known({1: "k", **MANY}), set(MANY))) == {"gone": [1]}
    assert reasons(planned(known({1: "k", **MANY}, set(MANY)), set(MANY))) == {}


def test_a_shrunken_export_concludes_nothing_from_absence(planned: Planner) -> None:
    at_the_limit = planned(known(MANY), {each for each in MANY if each >= 105})
    assert reasons(at_the_limit) == {"gone": [100, 101, 102, 103, 104]} and not at_the_limit.is_shrunken
    shrunken = planned(known(MANY), {each for each in MANY if each >= 106} | {999}, changed={150})
    assert shrunken.is_shrunken and (shrunken.still_exported, shrunken.known_exported) == (94, 100)
    assert reasons(shrunken) == {"new": [999], "changed": [150]}


def test_what_the_feed_names_and_nobody_asked_for_is_left_alone_and_counted(planned: Planner) -> None:
    top = (Selection(file="", limit=101),)
    found = planned(known(MANY), {1, *MANY, 500}, changed={1, 150, 99_999}, selections=top)
    assert reasons(found) == {"new": [500], "changed": [150]} and found.left_alone == 2


def test_new_ones_are_those_that_the_seeding_would_have_selected(planned: Planner) -> None:
    popular = (Selection(file="", min_popularity=200.0),)
    assert planned(known(MANY), {*MANY, 399, 400}, selections=popular).by_reason["new"] == [400]
    assert planned(known(MANY), {*MANY, 399, 400}).by_reason["new"] == [400, 399]


def test_a_limit_is_that_of_the_whole_export(planned: Planner) -> None:
    top = (Selection(file="", limit=5),)
    assert planned(known({1: "k"}), set(range(1, 6_000)), selections=top).by_reason["new"] == [
        5999, 5998, 5997, 5996, 5995,
    ]  # fmt: skip


def test_the_age_of_what_an_earlier_release_fetched_counts_from_the_seeding(planned: Planner) -> None:
    old = TODAY - datetime.timedelta(days=151)
    before = Known(ledger(MANY), b"", None, old, None, ())
    assert reasons(planned(before, set(MANY))) == {"over age": list(MANY)}
    assert reasons(planned(Known(ledger(MANY), b"", None, TODAY, None, ()), set(MANY))) == {}


def test_all_is_every_known_id(planned: Planner) -> None:
    before = known({1: "m", 2: "f", 3: "q", 4: "b", **MANY}, {4, *MANY})
    found = planned(before, {4, *MANY}, changed={4}, everything=True)
    assert reasons(found) == {"changed": [4], "failed": [2], "the rest": [1, *MANY]}
