"""What `scrapy status` shows: rates, the time that is left, and every worker by name."""

from __future__ import annotations

import re
import time
from typing import Any

import pytest
from rich.console import Console

from tmdb_scrapy.queue import Heartbeat, Snapshot
from tmdb_scrapy.watch.figures import average_rate_per_s, duration, summary
from tmdb_scrapy.watch.status import BAR_WIDTH, render

NOW = 1_700_000_000.0


def progress(workers: list[Heartbeat] | None = None, **details: Any) -> Snapshot:
    given: dict[str, Any] = {
        "counts": {"queued": 1_000, "kept": 200, "dropped": 750, "missing": 40, "failed": 10},
        "dropped": {"budget": 700, "cast": 50},
        "leased": 64,
        "lost": {},
    }
    return Snapshot(workers=workers or [], **{**given, **details})


def worker(**details: Any) -> Heartbeat:
    given: dict[str, Any] = {
        "name": "here-1-abc",
        "host": "here",
        "pid": 4711,
        "state": "crawling",
        "rate_per_s": 50.0,
        "started_at": NOW - 100,
        "seen_at": NOW - 1,
    }
    return Heartbeat(**{**given, **details})


def shown(**kinds: Snapshot) -> str:
    console = Console(width=200, color_system=None)
    with console.capture() as capture:
        console.print(render(kinds, NOW))
    return capture.get()


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (-7_200, "0 s"),
        (0, "0 s"),
        (59.4, "59 s"),
        (59.6, "1 min 00 s"),
        (250, "4 min 10 s"),
        (3_599.7, "1 h 00 min"),
        (3_780, "1 h 03 min"),
        (100_000, "27 h 46 min"),
    ],
)
def test_a_duration_has_the_two_units_that_matter(seconds: float, text: str) -> None:
    assert duration(seconds) == text


def test_one_line_of_rate_and_time_left() -> None:
    assert summary(progress([worker(), worker(rate_per_s=30.0)])) == "1,000 of 2,000 done, 80.0/s, 12 s left"


@pytest.mark.parametrize("workers", [[], [worker(rate_per_s=0.0)]])
def test_no_rate_no_time_left(workers: list[Heartbeat]) -> None:
    assert summary(progress(workers)) == "1,000 of 2,000 done"


def test_the_average_is_over_each_workers_own_time() -> None:
    fast = worker(outcomes={"kept": 900, "dropped": 100}, started_at=NOW - 100)
    new = worker(outcomes={"kept": 20}, started_at=NOW - 10)
    assert average_rate_per_s(progress([fast, new]), NOW) == pytest.approx(12.0)
    assert average_rate_per_s(progress([worker(outcomes={"kept": 5}, started_at=NOW + 60)]), NOW) == 5.0


def test_a_bar_is_as_long_as_what_is_done() -> None:
    text = shown(movies=progress())
    assert text.count("━") == BAR_WIDTH // 2 == 30


def test_nothing_seeded() -> None:
    assert "make seed" in shown()


def test_every_state_and_reason() -> None:
    text = shown(movies=progress())
    for part in ("movies", "1,000 (64 leased)", "200", "750 (budget 700, cast 50)", "40", "10"):
        assert part in text


def test_a_line_a_worker() -> None:
    text = shown(movies=progress([worker(throttled=3, in_flight=20, last_error="no Redis answers")]))
    for part in ("here", "4711", "crawling", "50.0/s", "1 s ago", "no Redis answers"):
        assert part in text


def test_workers_that_are_gone() -> None:
    text = shown(movies=progress(lost={"there-2-def": 1_234}))
    assert "there-2-def" in text
    assert "gone, 1,234 leases to take over" in text


def test_words_of_an_error_are_no_markup() -> None:
    """Such as the brackets of an IPv6 address or an errno."""
    text = shown(movies=progress([worker(last_error="[Errno 104] reset by [::1] [/red] [bold]")]))
    assert "[Errno 104] reset by [::1] [/red] [bold]" in text


def test_what_steers_a_terminal_is_shown_instead() -> None:
    steering = "\x1b]0;title\x07\x1b[2J\rover\x9b5m\u202e"
    steered = worker(host=steering, state=steering, last_error=steering)
    told = shown(movies=progress([steered], lost={steering: 2}))
    assert told.count("\ufffd]0;title\ufffd\ufffd[2J over\ufffd5m\ufffd") == 4
    assert not re.search("[\x00-\x09\x0b-\x1f\x7f-\x9f\u202e]", told)


def test_a_line_says_what_its_worker_waits_for() -> None:
    silent = worker(silent_until=NOW + 300)
    ends_at = time.strftime("%H:%M:%S", time.localtime(NOW + 300))
    text = shown(movies=progress([silent, worker(state="waiting")]))
    assert f"silent until {ends_at}, as TMDb asked (Retry-After)" in text
    assert "nothing left to lease" in text
