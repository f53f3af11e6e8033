"""The dashboard's server as a process: what it needs of the machine while a fleet is watched."""

from __future__ import annotations

import asyncio
import http.client
import os
import re
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from urllib.parse import urlsplit

import psutil
import redis.asyncio
from serving import dashboard

from tmdb_scrapy.config import Config
from tmdb_scrapy.kinds import KINDS
from tmdb_scrapy.queue import Heartbeat, IdQueue, connect
from tmdb_scrapy.queue.history import KEPT_DAYS, MINUTES_A_DAY, day_of, minute_of
from tmdb_scrapy.queue.keys import Keys

WATCHED = ("movies", "people", "tv")
WORKERS = 1_000
LIMIT_BYTES = 80_000_000
ALONE = "import sys, tmdb_scrapy.watch.dashboard.server, tmdb_scrapy.local.dashboard; print(*sys.modules)"


def test_it_needs_nothing_of_what_draws_on_terminals_or_crawls() -> None:
    loaded = subprocess.run([sys.executable, "-c", ALONE], capture_output=True, text=True, check=True).stdout
    assert "tmdb_scrapy.watch.dashboard.page" in loaded.split()
    assert not {"scrapy", "scrapy_redis", "twisted", "lxml", "rich", "pyreqwest", "isal"} & set(
        loaded.split()
    )


def test_it_serves_on_when_whoever_read_where_has_gone() -> None:
    """As `head -1` does."""
    code = "import sys; from tmdb_scrapy.local.dashboard import _announce; _announce('here'); sys.exit('on')"
    reading, writing = os.pipe()
    os.close(reading)
    ended = subprocess.run(
        [sys.executable, "-c", code], stdout=writing, stderr=subprocess.PIPE, text=True, check=False
    )
    os.close(writing)
    assert (ended.returncode, ended.stderr) == (1, "on\n")


async def _fleet(client: redis.asyncio.Redis) -> None:
    """A thousand workers of three kinds, each with leases and a heartbeat, and a week of history."""
    now = minute_of(time.time())
    queues = [IdQueue(client, KINDS[name]) for name in WATCHED]
    for queue in queues:
        await queue.seed(list(range(1, 1_001)))
        async with client.pipeline() as pipe:
            for minute in range(now - KEPT_DAYS * MINUTES_A_DAY, now):
                key = Keys(queue.kind.name).history(day_of(minute))
                pipe.hset(key, str(minute % MINUTES_A_DAY), "10 50 3 1 0 64 2 5000")
            await pipe.execute()
    for number in range(WORKERS):
        worker = Heartbeat(
            name=f"machine-{number:04}.example-{number}-0a1b2c", host=f"machine-{number:04}.example",
            pid=number, state="crawling", rate_per_s=10.0, allowed_per_s=12.5, in_flight=number % 20,
            outcomes={"kept": 1_000, "dropped": 5_000, "missing": 100}, durations=[100] * 10,
            memory_bytes=100_000_000, seen_at=time.time(),
        )  # fmt: skip
        queue = queues[number % len(queues)]
        await queue.lease(worker.name, 1)
        await queue.heartbeats.beat(worker)


async def _prepare(config: Config) -> None:
    async with connect(config) as client:
        await _fleet(client)


def _peak_bytes() -> int:
    """The most resident memory that the dashboard has had, the only child of this process that is one."""
    (process,) = (
        each for each in psutil.Process().children() if "tmdb_scrapy.local.dashboard" in each.cmdline()
    )
    status = Path(f"/proc/{process.pid}/status").read_text(encoding="utf-8")
    found = re.search(r"^VmHWM:\s+(\d+) kB$", status, re.MULTILINE)
    assert found
    return int(found[1]) * 1024


def test_a_thousand_workers_and_a_week_are_watched_in_less_than_80_mb(
    config: Config, environment: dict[str, str], tmp_path: Path, figures: Callable[[str], None]
) -> None:
    asyncio.run(_prepare(config))
    with dashboard(environment, tmp_path) as url:
        origin = urlsplit(url)
        viewers = [http.client.HTTPConnection(origin.netloc, timeout=30) for _ in range(10)]
        for viewer in viewers:
            viewer.request("GET", "/events")
        for path in ("/?span=7d", "/metrics", "/api/status"):
            asked = http.client.HTTPConnection(origin.netloc, timeout=30)
            asked.request("GET", path)
            answer = asked.getresponse().read()
            asked.close()
            assert b"machine-0999.example" in answer
        for viewer in viewers:
            viewer.getresponse().readline()
            viewer.close()
        peak = _peak_bytes()
    figures(f"dashboard of 1,000 workers, a week and ten viewers: {peak / 1e6:.0f} MB at most")
    assert peak < LIMIT_BYTES
