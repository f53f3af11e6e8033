"""A limit divided over workers by what they need."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tmdb_scrapy.pacing.shares import IDLE_SHARE, divide, need_per_s

LEAST = IDLE_SHARE * 40 / 4


@pytest.mark.parametrize(
    ("needs_per_s", "shares_per_s"),
    [
        ([], []),
        ([None], [40]),
        ([None] * 4, [10] * 4),
        ([None, 0, 0, 0], [40 - 3 * LEAST, LEAST, LEAST, LEAST]),
        ([None, 5, None, 5], [15, 5, 15, 5]),
        ([None, 100, None, 100], [10] * 4),
        ([8, 4, 8, 4], [12, 8, 12, 8]),
    ],
    ids=["nobody", "alone", "equals", "the tail of a crawl", "some need little", "want all", "no scarcity"],
)
def test_what_some_do_not_need_the_others_get(
    needs_per_s: list[float | None], shares_per_s: list[float]
) -> None:
    assert divide(40, needs_per_s) == pytest.approx(shares_per_s)


@given(
    st.floats(0.5, 1000),
    st.lists(st.none() | st.floats(0, 2000), min_size=1, max_size=50),
)
def test_the_limit_is_divided_and_never_exceeded_and_nobody_is_left_without(
    limit_per_s: float, needs_per_s: list[float | None]
) -> None:
    shares = divide(limit_per_s, needs_per_s)
    assert sum(shares) == pytest.approx(limit_per_s)
    assert min(shares) >= IDLE_SHARE * limit_per_s / len(shares) * (1 - 1e-9)


@given(st.lists(st.floats(0, 2000), min_size=1, max_size=50))
def test_nobody_gets_less_than_it_needs_while_another_gets_more(needs_per_s: list[float]) -> None:
    shares = divide(100, needs_per_s)
    in_need = [share for share, need in zip(shares, needs_per_s, strict=True) if share < need * (1 - 1e-9)]
    if in_need:
        assert max(shares) <= min(in_need) * (1 + 1e-9)


@pytest.mark.parametrize(
    ("crawling", "in_use", "needed_per_s"), [(True, True, None), (True, False, 15), (False, True, 0)]
)
def test_who_waits_needs_nothing_and_who_is_held_back_all_there_is(
    crawling: bool, in_use: bool, needed_per_s: float | None
) -> None:
    assert need_per_s(crawling=crawling, in_use=in_use, used_per_s=10) == needed_per_s
