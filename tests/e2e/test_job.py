"""`make crawl`: the whole job with one command, and again after Ctrl-C."""

from __future__ import annotations

import signal
import sys
from collections.abc import Callable

import psutil
import pytest
from crawl import Crawl
from ports import quiet_port

JOB = [sys.executable, "-m", "scrapy", "job", "movies"]


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM], ids=["Ctrl-C", "SIGTERM"])
def test_the_job_stops_cleanly_and_the_same_command_continues(
    crawl: Callable[..., Crawl], number: signal.Signals
) -> None:
    whole = crawl("--movies", "1000", "--latency-ms", "20", RATE_LIMIT="100")
    job = whole.start_command(JOB)
    whole.await_settled(150)
    job.send(number)
    assert job.wait() == 130, job.output
    assert "the same command continues" in job.output
    assert not whole.heartbeats(), "a worker is left"
    assert 150 <= whole.settled() < 1000
    assert whole.lost() == 0

    again = whole.start_command(JOB)
    assert again.wait() == 0, again.output
    for expected in (
        "seeded   1,000 movies",
        "kept",
        "dropped",
        "missing",
        "records/s",
        "movies.jsonl",
        "agree",
        "report.html",
    ):
        assert expected in again.output, again.output
    whole.assert_exact()
    assert whole.fetched_twice() == 0
    report = (whole.data / "report.html").read_text(encoding="utf-8")
    assert f"<dt>movies</dt><dd>{len(whole.merged.read_bytes().splitlines()):,}</dd>" in report
    assert "<dt>movies done</dt><dd>1,000</dd>" in report


def test_the_job_replaces_a_worker_that_was_killed(crawl: Callable[..., Crawl]) -> None:
    whole = crawl("--movies", "1500", "--latency-ms", "20", RATE_LIMIT="100")
    job = whole.start_command(JOB)
    whole.await_settled(100)
    children = psutil.Process(job.process.pid).children()
    workers = [child for child in children if child.cmdline()[-2:] == ["crawl", "movies"]]
    assert len(workers) == 2
    workers[0].kill()
    assert job.wait() == 0, job.output
    whole.assert_exact()


def test_the_job_says_why_its_workers_gave_up(crawl: Callable[..., Crawl]) -> None:
    refused = crawl("--movies", "100", "--key", "0" * 32)
    job = refused.start_command(JOB)
    assert job.wait() == 1, job.output
    assert job.output.count("TMDB_API_KEY") == 1, job.output
    assert refused.queued() == 100


def test_the_job_starts_a_redis_where_there_is_none(crawl: Callable[..., Crawl]) -> None:
    alone = crawl("--movies", "100")
    url = f"redis://127.0.0.1:{quiet_port()}/0"
    try:
        ended = alone.scrapy("job", "movies", REDIS_URL=url)
        assert ended.code == 0, ended
        assert (alone.directory / ".redis").stat().st_mode & 0o777 == 0o700
        again = alone.scrapy("job", "movies", REDIS_URL=url)
        assert again.code == 0, again
    finally:
        stopped = alone.scrapy("redis", "stop", REDIS_URL=url)
    assert stopped.code == 0, stopped
    alone.assert_merged({number for number, end in alone.expected().items() if end == "kept"})


def test_the_demo_needs_nothing(crawl: Callable[..., Crawl]) -> None:
    visitor = crawl("--movies", "1")
    for key in ("TMDB_API_KEY", "TMDB_API_URL", "TMDB_EXPORT_URL", "REDIS_URL", "DATA_DIR", "RATE_LIMIT"):
        del visitor.environment[key]
    ended = visitor.scrapy("demo", "--movies", "600")
    assert ended.code == 0, ended
    assert "seeded   600 movies" in ended.output
    assert (visitor.directory / ".demo" / "data" / "movies.jsonl").stat().st_size
