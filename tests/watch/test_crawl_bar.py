"""What `make crawl` says while it waits: how the crawl stands, and what its workers wait for."""

from __future__ import annotations

import time
from typing import Any

import pytest
from rich.console import Console

from tmdb_scrapy.queue import Heartbeat, Snapshot
from tmdb_scrapy.watch import crawl_bar
from tmdb_scrapy.watch.crawl_bar import MOST_WORKERS, CrawlBar
from tmdb_scrapy.watch.waits import waits, waits_for

NOW = 1_700_000_000.0
PAGE = "api.themoviedb.org shows a page instead of TMDb's data (HTTP 403)"


def worker(**details: Any) -> Heartbeat:
    given: dict[str, Any] = {"name": "a", "host": "a", "pid": 1, "state": "crawling", "seen_at": NOW}
    return Heartbeat(**{**given, **details})


def snapshot(*workers: Heartbeat) -> Snapshot:
    counts = {"queued": 300, "kept": 0, "dropped": 0, "missing": 0, "failed": 0}
    return Snapshot(workers=list(workers), counts=counts, dropped={}, leased=0, lost={})


def test_who_crawls_waits_for_nothing() -> None:
    assert waits_for(worker()) == ""
    assert waits_for(worker(silent_until=NOW + 1)) == "", "nobody could read it in time"


def test_a_long_silence_is_said_with_the_time_at_which_it_ends() -> None:
    ends_at = time.strftime("%H:%M:%S", time.localtime(NOW + 60))
    assert waits_for(worker(silent_until=NOW + 60)) == f"silent until {ends_at}, as TMDb asked (Retry-After)"


def test_workers_that_wait_for_the_same_are_counted() -> None:
    blocked = worker(state="probing", last_error=PAGE)
    assert waits(snapshot(blocked, blocked, worker(), worker(state="waiting"))) == [
        f"2 workers: {PAGE}",
        "1 worker: nothing left to lease, others hold the rest",
    ]


def test_without_a_terminal_a_new_wait_is_said_at_once_and_once(capsys: pytest.CaptureFixture[str]) -> None:
    bar = CrawlBar()
    blocked = worker(last_error=PAGE)
    for workers in ([worker()], [blocked], [blocked, blocked], [worker(state="waiting")]):
        bar.update(snapshot(*workers))
    lines = capsys.readouterr().err.splitlines()
    assert lines == ["0 of 300 done · kept 0 · failed 0"] * 2 + [f"1 worker: {PAGE}"]


def test_on_a_terminal_it_stands_under_the_bar(monkeypatch: pytest.MonkeyPatch) -> None:
    terminal = Console(width=100, color_system=None)
    monkeypatch.setattr(crawl_bar, "console", lambda: terminal)
    bar = CrawlBar()
    bar.update(snapshot(worker(last_error=PAGE)))
    with terminal.capture() as capture:
        for line in bar.shown.get_renderables():
            terminal.print(line)
    assert capture.get().splitlines()[-1] == f"1 worker: {PAGE}"


def test_on_a_terminal_every_worker_has_a_line(monkeypatch: pytest.MonkeyPatch) -> None:
    terminal = Console(width=160, color_system=None)
    monkeypatch.setattr(crawl_bar, "console", lambda: terminal)
    bar = CrawlBar()
    bar.update(snapshot(*(worker(host=f"host-{n:02}", rate_per_s=7.5) for n in range(30))))
    with terminal.capture() as capture:
        for line in bar.shown.get_renderables():
            terminal.print(line)
    text = capture.get()
    assert text.count("7.5/s  ") == MOST_WORKERS
    assert "host-00" in text
    assert "host-12" not in text, "a terminal is no higher than that"


def test_a_pause_says_how_it_ends() -> None:
    assert waits(snapshot(worker(state="paused"), worker(state="paused"))) == [
        "2 workers: paused, until `scrapy resume`"
    ]
