from __future__ import annotations

from collections import Counter

from tmdb_scrapy.kinds import KINDS
from tmdb_scrapy.sandbox.server.faults import POISON, FaultPlan


def test_faults_come_as_often_as_their_shares_say() -> None:
    plan = FaultPlan(1, {"500": 0.1, "reset": 0.05})
    drawn = Counter(plan.choose("movies", number).fault for number in range(20_000))
    assert 1_850 <= drawn["500"] <= 2_150
    assert 880 <= drawn["reset"] <= 1_120
    assert set(drawn) == {"500", "reset", None}


def test_the_same_seed_injects_the_same_faults() -> None:
    first, second = FaultPlan(5, {"503": 0.3}), FaultPlan(5, {"503": 0.3})
    ids = range(500)
    backwards = {number: second.choose("movies", number).fault for number in reversed(ids)}
    assert {number: first.choose("movies", number).fault for number in ids} == backwards


def test_a_retry_draws_anew_so_that_it_can_succeed() -> None:
    plan = FaultPlan(2, {"500": 0.5})
    outcomes = {tuple(plan.choose("movies", number).fault for _ in range(3)) for number in range(200)}
    assert len(outcomes) == 8


def test_poisoned_ids_always_fail() -> None:
    plan = FaultPlan(0, {}, frozenset({7}))
    assert {plan.choose("movies", 7).fault for _ in range(20)} == {POISON}
    assert plan.choose("movies", 8).fault is None


def test_what_is_to_be_appended_is_left_out_by_its_share_and_a_retry_draws_anew() -> None:
    plan = FaultPlan(4, {}, without={"credits": 0.5, "keywords": 1.0}, broken={"similar": 0.25})
    fates = [plan.choose("movies", number) for number in range(4000)]
    assert 1_900 <= sum("credits" in fate.without for fate in fates) <= 2_100
    assert all("keywords" in fate.without and fate.fault is None for fate in fates)
    assert 900 <= sum(fate.broken == ("similar",) for fate in fates) <= 1_100
    assert any("credits" in plan.choose("movies", number).without for number in range(20))
    assert any("credits" not in plan.choose("movies", number).without for number in range(20))


def test_kinds_meet_faults_of_their_own() -> None:
    plan = FaultPlan(0, {"500": 0.5})
    drawn = [[plan.choose(kind, number).fault for number in range(64)] for kind in KINDS]
    assert len({tuple(faults) for faults in drawn}) == len(KINDS)


def test_enormous_ids_meet_faults_too() -> None:
    assert FaultPlan(0, {"500": 1.0}).choose("movies", 10**17).fault == "500"
