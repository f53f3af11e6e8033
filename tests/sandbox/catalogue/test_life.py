from __future__ import annotations

from collections import Counter

import pytest

from tmdb_scrapy.sandbox.catalogue.life import Life

COUNT = 5000
SHARE = 0.04
DAYS = range(1, 31)


@pytest.fixture(scope="module")
def life() -> Life:
    return Life(seed=3, kind_salt=1, count=COUNT, share=SHARE, edits=True)


def test_a_day_edits_its_share_of_the_records_and_others_than_the_day_before(life: Life) -> None:
    days = [set(life.changed(day)) for day in DAYS]
    assert all(0.9 * SHARE * COUNT < len(changed) < 1.3 * SHARE * COUNT for changed in days)
    assert all(len(days[0] & later) < len(days[0]) for later in days[1:])


def test_what_changed_and_what_each_record_says_of_its_edits_agree(life: Life) -> None:
    told = {day: set(life.changed(day)) for day in DAYS}
    for position in range(0, COUNT, 7):
        said = set(life.edits(position, 30))
        heard = {day for day in DAYS if position in told[day]}
        gone_on = {day for day in said if life.gone(position, day)}
        assert said - gone_on == heard, position


def test_the_future_is_not_told(life: Life) -> None:
    for position in range(0, COUNT, 11):
        assert [day for day in life.edits(position, 30) if day <= 9] == life.edits(position, 9)


def test_records_are_added_every_day_and_told_of_on_that_day(life: Life) -> None:
    for day in DAYS:
        new = set(range(life.population(day - 1), life.population(day)))
        assert new and new <= set(life.changed(day))
        assert not any(life.gone(position, day) for position in new)


def test_half_of_the_deleted_come_back_and_none_is_told_of_while_it_is_gone(life: Life) -> None:
    fates: Counter[str] = Counter()
    for position in life.all_gone(10):
        fates["back" if not life.gone(position, 30) else "gone"] += 1
        assert position not in set(life.changed(10))
    assert fates["back"] > 10 and fates["gone"] > 10


def test_all_that_are_gone_are_those_that_are_gone_one_by_one(life: Life) -> None:
    for day in (0, 1, 7, 30):
        one_by_one = {position for position in range(life.population(day)) if life.gone(position, day)}
        assert life.all_gone(day) == one_by_one


def test_one_that_another_was_merged_into_is_edited(life: Life) -> None:
    """Merged records never come back, and the next one is told of on the day of the merge."""
    merged_on = {
        position: day
        for day in DAYS
        for position in range(life.population(day - 1))
        if life.gone(position, day) and not life.gone(position, day - 1)
        if all(life.gone(position, later) for later in range(day, 200, 20))
    }
    survivors = [
        position + 1 in set(life.changed(day))
        for position, day in merged_on.items()
        if not life.gone(position + 1, day)
    ]
    assert sum(survivors) > 50


def test_popularity_falls_now_and_then(life: Life) -> None:
    falls = Counter(life.falls(position, 30) for position in range(COUNT))
    assert falls[0] > falls[1] > falls[2]


@pytest.mark.parametrize("count", [1, 3, 60])
def test_even_a_small_catalogue_has_a_day_of_everything(count: int) -> None:
    life = Life(seed=0, kind_salt=1, count=count, share=SHARE, edits=True)
    assert life.population(1) > count
    # An only record is deleted on the first day, and what is gone is not edited.
    assert count == 1 or any(life.edits(position, 10) for position in range(count))
    assert any(life.gone(position, 10) for position in range(count))


def test_nothing_happens_where_no_share_is_edited_or_nothing_is_there() -> None:
    for life in (Life(0, 1, 100, 0.0, edits=True), Life(0, 1, 0, SHARE, edits=True)):
        assert life.population(9) == life.population(0)
        assert not list(life.changed(9)) and not life.all_gone(9)


def test_a_kind_without_a_feed_has_no_edits_but_comes_and_goes() -> None:
    life = Life(0, 1, 500, SHARE, edits=False)
    assert not any(life.edits(position, 30) for position in range(500))
    assert life.population(1) > 500 and life.all_gone(5)


def test_days_before_the_first_tell_changes_that_changed_nothing(life: Life) -> None:
    assert list(life.changed(-3)) and list(life.changed(0))
    assert life.population(-3) == COUNT and life.edits(3, 0) == []
