"""A live crawl, watched: the page tells what happens without being loaded again."""

from __future__ import annotations

import re
import signal
from pathlib import Path

import pytest
from browser import Viewer, chromium, viewer
from crawl import Crawl
from serving import dashboard
from waiting import wait_until

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("browser")]

MOVIES = 1_500
ENDS = ("kept", "dropped", "missing", "failed")


def _counts(crawl: Crawl) -> dict[str, int]:
    counts = crawl.redis.hgetall("{movies}:counts")
    assert isinstance(counts, dict)
    return {label.decode(): int(count) for label, count in counts.items()}


def _assert_between(looking: Viewer, crawl: Crawl) -> None:
    """The page's figures are Redis's, at most as old as a sample."""
    before = {end: looking.fact(f"movies.{end}") for end in ENDS}
    now = _counts(crawl)
    assert all(before[end] <= now.get(end, 0) for end in ENDS)
    wait_until(
        lambda: all(looking.fact(f"movies.{end}") >= now.get(end, 0) for end in ENDS),
        "the page has caught up with Redis",
    )


def test_a_crawl_is_watched_from_its_beginning_to_its_end(tmp_path: Path) -> None:
    with (
        chromium() as browser,
        Crawl(
            tmp_path, ["--movies", str(MOVIES), "--latency-ms", "20"], RATE_LIMIT="40", PROCESSES="4"
        ) as crawl,
        dashboard(crawl.environment, tmp_path) as url,
        viewer(browser, url) as looking,
    ):
        looking.sees("main", "Nothing is seeded yet")
        crawl.seed()
        looking.sees(".state", "nobody crawls")
        assert looking.fact("movies.queued") == MOVIES
        workers = crawl.start(4)
        looking.sees("h3", "4 workers")
        looking.sees(".state", "crawling")
        _assert_between(looking, crawl)

        killed = workers.pop(0)
        killed.kill()
        looking.sees("[data-gone]", f"-{killed.process.pid}-")
        looking.sees("h3", "3 workers")

        crawl.redis_server.stop()
        looking.sees("[data-stale]", "stale since")
        assert re.search(r"no Redis answers", looking.page.locator("[data-stale]").inner_text())
        crawl.redis_server.start()
        looking.page.locator("[data-stale]").wait_for(state="hidden", timeout=40_000)
        _assert_between(looking, crawl)

        # At this pace the rest would take half a minute.
        for worker in workers:
            worker.send(signal.SIGTERM)
            worker.wait()
        crawl.start(2, RATE_LIMIT="2000", PROCESSES="2")
        for worker in crawl.workers[-2:]:
            assert worker.wait() == 0
        looking.sees(".state", "done")
        assert {end: looking.fact(f"movies.{end}") for end in ENDS} == {
            end: _counts(crawl).get(end, 0) for end in ENDS
        }
        assert looking.fact("movies.queued") == 0
        assert looking.fact("movies.done") == MOVIES == len(crawl.expected())
        looking.assert_undisturbed()
