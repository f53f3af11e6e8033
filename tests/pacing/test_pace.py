"""The pace, rule by rule, with times given by hand. What the rules add up to is in test_governor.py."""

from __future__ import annotations

import pytest

from tmdb_scrapy.pacing.pace import Pace
from tmdb_scrapy.pacing.phases import Holding, Searching

ROUND_TRIP_S = 0.1


def served(pace: Pace, start: float, seconds: float, *, idle_share: float = 0.0) -> float:
    """A steady stream of served requests, 100 a second. Returns when it ends."""
    for number in range(int(seconds * 100)):
        sent_at = start + number / 100
        pace.idle_s += idle_share / 100
        pace.answered(sent_at + ROUND_TRIP_S, sent_at)
    return start + seconds


def settled(cap_per_s: float = 0.0, sharers: int = 1) -> Pace:
    """A pace around a limit, at rest since second 0."""
    pace = Pace(cap_per_s, sharers)
    served(pace, -3.0, 2.0)
    pace.throttled(-0.9, -1.0, None)
    pace.throttled(0.5, 0.4, None)
    assert isinstance(pace.phase, Holding)
    return pace


@pytest.mark.parametrize(
    ("cap_per_s", "sharers", "start_per_s"),
    [(0, 1, 40), (0, 4, 10), (20, 1, 20), (40, 1, 40), (100, 1, 40), (1000, 1, 250), (20, 4, 20)],
)
def test_starts_at_forty_or_near_the_cap(cap_per_s: float, sharers: int, start_per_s: float) -> None:
    assert Pace(cap_per_s, sharers).rate_per_s == start_per_s


def test_sharers_learnt_before_the_first_answer_lower_the_start() -> None:
    pace = Pace(0)
    pace.sharers = 8
    assert pace.rate_per_s == 5


@pytest.mark.parametrize(("seconds", "at_least_per_s"), [(0.9, 320), (1.95, 3000)])
def test_without_a_limit_the_start_is_fast(seconds: float, at_least_per_s: float) -> None:
    pace = Pace(0)
    served(pace, 0.0, seconds)
    assert pace.rate_per_s >= at_least_per_s


@pytest.mark.parametrize("cap_per_s", [5.0, 20.0, 40.0, 1000.0])
def test_cap_is_reached_within_a_second_and_never_passed(cap_per_s: float) -> None:
    pace = Pace(cap_per_s)
    served(pace, 0.0, 0.9)
    assert pace.rate_per_s == cap_per_s
    served(pace, 0.9, 60.0)
    assert pace.rate_per_s == cap_per_s


def test_cap_steps_back_on_a_refusal_and_comes_back() -> None:
    pace = Pace(20.0)
    now = served(pace, 0.0, 5.0)
    pace.throttled(now + ROUND_TRIP_S, now, None)
    assert 19 < pace.rate_per_s < 20
    served(pace, now + ROUND_TRIP_S, 12.0)
    assert pace.rate_per_s == 20.0


def test_lowered_cap_holds_at_once_and_a_raised_one_is_climbed_to() -> None:
    pace = Pace(20.0)
    now = served(pace, 0.0, 5.0)
    pace.cap_per_s = 10.0
    assert pace.rate_per_s == 10.0
    pace.cap_per_s = 40.0
    assert pace.rate_per_s == 10.0
    served(pace, now, 5.0)
    assert pace.rate_per_s == 40.0


def test_raised_cap_is_climbed_to_after_a_retry_after_too() -> None:
    pace = Pace(40.0)
    now = served(pace, 0.0, 5.0)
    pace.throttled(now + ROUND_TRIP_S, now, 1.0)
    now = served(pace, now + 1.0 + ROUND_TRIP_S, 5.0)
    pace.cap_per_s = 10.0
    now = served(pace, now, 5.0)
    pace.cap_per_s = 40.0
    served(pace, now, 20.0)
    assert pace.rate_per_s == 40.0


def test_start_lands_near_what_was_served() -> None:
    pace = Pace(0)
    now = served(pace, 0.0, 1.0)
    pace.throttled(now + ROUND_TRIP_S, now, None)
    assert pace.rate_per_s == pytest.approx(100 / 1.6, rel=0.05)
    assert type(pace.phase) is Searching
    assert pace.resume_at == pytest.approx(now + ROUND_TRIP_S + 0.25), "lets a window end or a bucket fill"


def test_one_step_back_for_all_refusals_of_a_round_trip() -> None:
    pace = settled()
    before = pace.rate_per_s
    for number in range(10):
        pace.throttled(10.1 + number / 100, 10.0 + number / 100, None)
    assert pace.rate_per_s == pytest.approx(before * 0.98)


@pytest.mark.parametrize(("sharers", "step"), [(1, 0.02), (4, 0.08), (100, 0.25)])
def test_step_back_is_made_for_all_sharers(sharers: int, step: float) -> None:
    pace = settled(sharers=sharers)
    before = pace.rate_per_s
    pace.throttled(10.1, 10.0, None)
    assert pace.rate_per_s == pytest.approx(before * (1 - step))


def test_climb_of_all_sharers_is_that_of_a_single_sender() -> None:
    alone, one_of_four = settled(), settled(sharers=4)
    gained = []
    for pace in (alone, one_of_four):
        before = pace.rate_per_s
        served(pace, 1.0, 5.0)
        gained.append(pace.rate_per_s / before - 1)
    assert gained[0] == pytest.approx(gained[1])
    assert 0.005 < gained[0] < 0.02


def test_persisting_refusals_lower_the_rate_to_what_is_served() -> None:
    pace = settled()
    pace.cap_per_s = 0
    now = served(pace, 1.0, 3.0)
    pace.nudge(2000)
    above = pace.rate_per_s
    assert above > 500
    for _ in range(4):
        pace.throttled(now + ROUND_TRIP_S, now, None)
        now = served(pace, now + ROUND_TRIP_S, 0.15)
    assert 60 <= pace.rate_per_s < 200


@pytest.mark.parametrize(
    ("retry_after_s", "silent_s"), [(None, None), (0, None), (-1, None), (1, 1), (9999, 300)]
)
def test_retry_after_is_a_floor_of_at_most_five_minutes(
    retry_after_s: float | None, silent_s: float | None
) -> None:
    pace = settled()
    pace.throttled(10.1, 10.0, retry_after_s)
    if silent_s is None:
        assert pace.resume_at < 10.0
    else:
        assert pace.resume_at == 10.1 + silent_s


def test_retry_after_counts_even_if_it_is_no_new_step() -> None:
    pace = settled()
    pace.throttled(10.1, 10.0, 1)
    before = pace.rate_per_s
    pace.throttled(10.2, 10.05, 3)
    assert pace.resume_at == pytest.approx(13.2)
    pace.throttled(10.3, 10.06, 1)
    assert pace.resume_at == pytest.approx(13.2)
    assert pace.rate_per_s == before


@pytest.mark.parametrize(("idle_share", "grows"), [(0.0, True), (0.1, True), (0.3, False), (0.9, False)])
def test_grows_only_while_the_rate_is_used(idle_share: float, grows: bool) -> None:
    pace = Pace(0)
    now = served(pace, 0.0, 1.0, idle_share=idle_share)
    before = pace.rate_per_s
    served(pace, now, 1.0, idle_share=idle_share)
    assert (pace.rate_per_s > before) is grows
    assert pace.in_use is grows


def test_long_quiet_accelerates_the_climb() -> None:
    pace = settled()
    before = pace.rate_per_s
    now = served(pace, 1.0, 15.0)
    assert pace.rate_per_s < before * 1.06
    served(pace, now, 11.0)
    assert pace.rate_per_s > before * 2


def test_sharers_refusal_seen_in_the_mean_keeps_the_climb_gentle() -> None:
    pace = settled()
    before = pace.rate_per_s
    pace.nudge(before)
    now = served(pace, 1.0, 15.0)
    pace.nudge(before * 0.97)
    served(pace, now, 11.0)
    assert pace.rate_per_s < before * 1.08


@pytest.mark.parametrize("mean_per_s", [10.0, 1000.0])
def test_nudge_moves_half_way_to_the_mean(mean_per_s: float) -> None:
    pace = settled()
    before = pace.rate_per_s
    pace.nudge(mean_per_s)
    assert pace.rate_per_s == pytest.approx((before + mean_per_s) / 2)


def test_nudge_means_nothing_with_a_cap() -> None:
    pace = Pace(20.0)
    pace.nudge(5.0)
    assert pace.rate_per_s == 20.0


def test_refused_for_minutes_it_still_asks_and_recovers() -> None:
    pace = settled()
    before = pace.rate_per_s
    for second in range(1, 120):
        pace.throttled(second + ROUND_TRIP_S, second, None)
    assert 0.5 <= pace.rate_per_s < 2
    served(pace, 120.0, 20.0)
    assert pace.rate_per_s > before


def test_changes_are_announced() -> None:
    pace, heard = Pace(0), []
    pace.on_change = lambda: heard.append(pace.rate_per_s)
    pace.cap_per_s = 7.0
    pace.throttled(1.1, 1.0, 2.0)
    assert heard[0] == 7.0
    assert len(heard) >= 2
