"""A limit divided over workers by what they need."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tmdb_scrapy.pacing.shares import IDLE_SHARE, divide, need_per_s

LEAST = IDLE_SHARE * 40 / 4
ALL = math.inf
NEEDS = st.lists(st.sampled_from([0.0, 4.0, 16.0, ALL]) | st.floats(0, 2000), min_size=1, max_size=50)


def each(limit_per_s: float, needs_per_s: Sequence[float]) -> list[float]:
    """Each worker's share."""
    by_need = divide(limit_per_s, Counter(needs_per_s))
    return [by_need[need] for need in needs_per_s]


def one_by_one(limit_per_s: float, needs_per_s: Sequence[float]) -> list[float]:
    """The same, worker by worker: who wants least is served first, and the rest is divided equally."""
    least_per_s, left_per_s = IDLE_SHARE * limit_per_s / len(needs_per_s), limit_per_s
    shares = [0.0] * len(needs_per_s)
    for place, worker in enumerate(sorted(range(len(needs_per_s)), key=needs_per_s.__getitem__)):
        wanted = max(needs_per_s[worker], least_per_s)
        shares[worker] = min(wanted, left_per_s / (len(shares) - place))
        left_per_s -= shares[worker]
    return [share + left_per_s / len(shares) for share in shares]


@pytest.mark.parametrize(
    ("needs_per_s", "shares_per_s"),
    [
        ([], []),
        ([ALL], [40]),
        ([ALL] * 4, [10] * 4),
        ([ALL, 0, 0, 0], [40 - 3 * LEAST, LEAST, LEAST, LEAST]),
        ([ALL, 5, ALL, 5], [15, 5, 15, 5]),
        ([ALL, 100, ALL, 100], [10] * 4),
        ([8, 4, 8, 4], [12, 8, 12, 8]),
    ],
    ids=["nobody", "alone", "equals", "the tail of a crawl", "some need little", "want all", "no scarcity"],
)
def test_what_some_do_not_need_the_others_get(needs_per_s: list[float], shares_per_s: list[float]) -> None:
    assert each(40, needs_per_s) == pytest.approx(shares_per_s)


@given(st.floats(0.5, 1000), NEEDS)
def test_counted_by_need_workers_get_what_they_would_one_by_one(
    limit_per_s: float, needs_per_s: list[float]
) -> None:
    assert each(limit_per_s, needs_per_s) == pytest.approx(one_by_one(limit_per_s, needs_per_s))


@given(st.floats(0.5, 1000), NEEDS)
def test_the_limit_is_divided_and_never_exceeded_and_nobody_is_left_without(
    limit_per_s: float, needs_per_s: list[float]
) -> None:
    shares = each(limit_per_s, needs_per_s)
    assert sum(shares) == pytest.approx(limit_per_s)
    assert min(shares) >= IDLE_SHARE * limit_per_s / len(shares) * (1 - 1e-9)


@given(st.lists(st.floats(0, 2000), min_size=1, max_size=50))
def test_nobody_gets_less_than_it_needs_while_another_gets_more(needs_per_s: list[float]) -> None:
    shares = each(100, needs_per_s)
    in_need = [share for share, need in zip(shares, needs_per_s, strict=True) if share < need * (1 - 1e-9)]
    if in_need:
        assert max(shares) <= min(in_need) * (1 + 1e-9)


@pytest.mark.parametrize(
    ("crawling", "in_use", "needed_per_s"), [(True, True, ALL), (True, False, 15), (False, True, 0)]
)
def test_who_waits_needs_nothing_and_who_is_held_back_all_there_is(
    crawling: bool, in_use: bool, needed_per_s: float
) -> None:
    assert need_per_s(crawling=crawling, in_use=in_use, used_per_s=10) == needed_per_s
