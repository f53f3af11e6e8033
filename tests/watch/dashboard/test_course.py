"""The course of a kind: whole steps, from the first in which something happened."""

from __future__ import annotations

from tmdb_scrapy.queue import Minute
from tmdb_scrapy.watch.dashboard.course import SPANS, charts, together

NOON = 29_401_200  # minutes since the epoch, a whole step of every span


def test_minutes_of_a_step_are_added_and_the_one_that_is_not_over_is_left_out() -> None:
    history = {
        NOON - 10: Minute(kept=1),
        NOON - 6: Minute(kept=2),
        NOON - 5: Minute(kept=4),
        NOON: Minute(kept=8),
    }
    points = together(history, SPANS["6h"], NOON + 3)
    assert points == {NOON - 10: Minute(kept=3), NOON - 5: Minute(kept=4)}


def test_steps_in_which_nothing_happened_are_there_as_nothing() -> None:
    points = together({NOON - 15: Minute(kept=1), NOON - 5: Minute(kept=1)}, SPANS["6h"], NOON)
    assert list(points) == [NOON - 15, NOON - 10, NOON - 5]
    assert points[NOON - 10] == Minute()


def test_what_was_before_the_span_is_not_shown() -> None:
    points = together({NOON - 61: Minute(kept=9), NOON - 60: Minute(kept=1)}, SPANS["1h"], NOON)
    assert len(points) == 60
    assert sum(minute.kept for minute in points.values()) == 1


def test_without_a_history_there_are_no_points() -> None:
    assert together({}, SPANS["7d"], NOON) == {}
    assert charts("movies", {}, SPANS["7d"], NOON * 60) == []


def test_every_span_has_few_enough_points() -> None:
    assert all(span.minutes // span.step <= 90 and span.minutes % span.step == 0 for span in SPANS.values())


def test_charts_tell_rates_and_latency() -> None:
    minute = Minute(kept=120, dropped=60, answers=240, throttled=60, milliseconds=24_000)
    ended, answers, took = charts("movies", {NOON - 1: minute}, SPANS["1h"], NOON * 60)
    assert ended.table.rows[0][1:] == [2.0, 1.0, 0.0, 0.0]
    assert answers.table.rows[0][1:] == [4.0, 1.0]
    assert took.table.rows[0][1:] == [100.0]
