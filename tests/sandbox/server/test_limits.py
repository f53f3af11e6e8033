from __future__ import annotations

import pytest

from tmdb_scrapy.sandbox.server.limits import RateLimiter


def passed(limiter: RateLimiter, who: str, times: list[float]) -> int:
    """How many of the requests at these times pass."""
    count = 0
    for now in times:
        if limiter.allows(who, now):
            limiter.take(who, now)
            count += 1
    return count


def every(interval_s: float, seconds: float, start: float = 100.0) -> list[float]:
    return [start + number * interval_s for number in range(round(seconds / interval_s))]


def test_no_rate_is_no_limit() -> None:
    assert passed(RateLimiter(), "a", [1.0] * 1000) == 1000


@pytest.mark.parametrize(
    ("kind", "burst", "expected"),
    [
        ("bucket", 0, 50 + 9 * 50 + 49),
        ("bucket", 10, 10 + 499),
        ("window", 0, 500),
        ("window", 100, 500),
        ("sliding", 0, 500),
    ],
)
def test_a_flood_gets_the_rate_and_the_burst(kind: str, burst: int, expected: int) -> None:
    limiter = RateLimiter(50, burst, kind)  # type: ignore[arg-type]
    assert passed(limiter, "a", every(0.001, 10)) == pytest.approx(expected, abs=2)


@pytest.mark.parametrize("kind", ["bucket", "window", "sliding"])
def test_just_under_the_limit_nothing_is_refused(kind: str) -> None:
    times = every(1 / 49, 20)
    assert passed(RateLimiter(50, 0, kind), "a", times) == len(times)  # type: ignore[arg-type]


def test_a_window_refills_all_at_once_at_its_edge() -> None:
    limiter = RateLimiter(4, 40, "window")  # the old 40 requests per 10 s
    assert passed(limiter, "a", [100.0] * 50) == 40
    assert passed(limiter, "a", [109.9] * 50) == 0
    assert passed(limiter, "a", [110.0] * 50) == 40


def test_a_sliding_window_lets_no_second_have_more_than_the_rate_wherever_it_begins() -> None:
    limiter = RateLimiter(10, 0, "sliding")
    times = [time for time in every(0.037, 30) if passed(limiter, "a", [time])]
    assert len(times) > 250
    assert all(later - time > 1 - 1e-3 for time, later in zip(times, times[10:], strict=False))


def test_a_sliding_window_frees_each_request_a_second_after_it_passed() -> None:
    limiter = RateLimiter(3, 0, "sliding")
    assert passed(limiter, "a", [100.0, 100.5, 100.9, 100.95]) == 3
    assert passed(limiter, "a", [100.99]) == 0
    assert passed(limiter, "a", [101.0, 101.01]) == 1
    assert passed(limiter, "a", [101.5, 101.51]) == 1


def test_another_kind_starts_anew() -> None:
    limiter = RateLimiter(2, 0, "bucket")
    assert passed(limiter, "a", [1.0] * 5) == 2
    limiter.configure(2, 0, "sliding")
    assert passed(limiter, "a", [1.0] * 5) == 2


def test_a_refused_request_costs_nothing() -> None:
    limiter = RateLimiter(1, 1)
    assert passed(limiter, "a", [100.0, 100.2, 100.4, 100.6, 100.8, 101.0]) == 2


def test_addresses_do_not_share() -> None:
    limiter = RateLimiter(1, 1)
    assert passed(limiter, "a", [1.0]) + passed(limiter, "b", [1.0]) == 2


def test_a_new_rate_holds_at_once() -> None:
    limiter = RateLimiter(50, 1)
    assert passed(limiter, "a", every(0.001, 5)) == pytest.approx(250, abs=2)
    limiter.configure(25, 1, "bucket")
    assert passed(limiter, "a", every(0.001, 5, 105.0)) == pytest.approx(125, abs=2)


def test_a_rate_below_one_a_second_still_lets_some_pass() -> None:
    assert passed(RateLimiter(0.5), "a", every(0.01, 10)) == pytest.approx(5, abs=1)
