"""The update of a day after a whole export: how long it takes beside its requests, and how much memory."""

from __future__ import annotations

import contextlib
import datetime
import shutil
import sys
import threading
from collections import defaultdict
from collections.abc import Mapping
from pathlib import Path

import psutil  # type: ignore[import-untyped]
import redis

from benchmarks.bodies import TMDB_LIKE
from benchmarks.crawlers import Task, start_ours
from benchmarks.figures import Goal, Outcome
from benchmarks.processes import SAMPLE_INTERVAL_S, Measured, Ran, look_at, run
from benchmarks.servers import SandboxServer
from benchmarks.workbench import Sizes, Workbench
from tmdb_scrapy.queue.keys import Keys

CHANGED = 10_000
"""So many of a whole export are named by the feed of the days that an update reads: today, yesterday, when it
was last read, and the day before."""
DAYS_READ = 3
SUCCESSFUL = 8_000
"""So many movies of a whole export pass the filter, as of TMDb's."""
REQUESTS_PER_S = 40
LONGEST_CRAWL_S = 4 * 3600.0
LONGEST_COMMAND_S = 1800.0
BEYOND = Goal(15, at_most=True)
MEMORY = Goal(150, at_most=True)
REFRESH = Goal(10, at_most=True)


def day(bench: Workbench) -> Outcome:
    """After a full crawl a day passes: `scrapy update movies` at 40 requests a second."""
    outcome = Outcome("day")
    whole = Sizes().ids
    options = (
        f"--changed-share={CHANGED / whole / DAYS_READ:.6f}",
        f"--successful={bench.sizes.ids * SUCCESSFUL // whole}",
    )
    with bench.whole_sandbox(TMDB_LIKE, bench.sizes.ids, *options) as server:
        user = _User(bench, server)
        user.crawl()
        user.sleep()
        before = server.requests()
        updated, peaks = user.update()
        requests = server.requests() - before
        refreshed = user.run("refresh", "movies", "--dry-run")
    beyond_s = updated.wall_s - 1.05 * requests / REQUESTS_PER_S
    outcome.add(f"an update of {bench.sizes.ids:,} known IDs", "s", [updated.wall_s])
    outcome.add("requests to the API", "", [requests])
    outcome.add("time beyond 1.05 × requests / 40", "s", [beyond_s], BEYOND)
    for command, peak_bytes in peaks.items():
        outcome.add(f"peak memory: scrapy {command}", "MB", [peak_bytes / 1e6], MEMORY)
    outcome.add("processor time of the update, but for its workers", "s", [updated.cpu_s])
    outcome.add("processor time of refresh alone", "s", [refreshed.cpu_s], REFRESH)
    outcome.add("peak memory of refresh alone", "MB", [refreshed.peak_bytes / 1e6], MEMORY)
    return outcome


class _User:
    """Who has crawled all that an export lists."""

    def __init__(self, bench: Workbench, server: SandboxServer) -> None:
        self._bench = bench
        self._task = Task(server, [], bench.new_directory("day"), bench.redis_url, bench.environment)
        self._server = server
        self._data = self._task.directory / "data"
        self._environment = self._task.settings(
            SCRAPY_SETTINGS_MODULE="tmdb_scrapy.settings",
            DATA_DIR=str(self._data),
            TMDB_EXPORT_URL=server.export_url,
            RATE_LIMIT=str(REQUESTS_PER_S),
        )

    def crawl(self) -> None:
        """At full speed."""
        with redis.Redis.from_url(self._bench.redis_url) as client:
            client.flushall()
        self.run("seed", "movies")
        (worker,) = start_ours(self._task, [self._bench.cores.crawler])
        try:
            worker.wait(LONGEST_CRAWL_S)
        finally:
            worker.kill()
        self.run("merge", "movies", "--prune")

    def sleep(self) -> None:
        """It is the next day: what is dated is a day older."""
        self._server.be(1)
        yesterday = datetime.datetime.now(datetime.UTC).date() - datetime.timedelta(days=1)
        with redis.Redis.from_url(self._bench.redis_url) as client:
            client.hset(Keys("movies").about, "seeded_on", yesterday.isoformat())
        shutil.rmtree(self._data / "exports")

    def update(self) -> tuple[Ran, Mapping[str, int]]:
        """The command, and how many bytes each process at most had, by the name of its command."""
        peaks: dict[str, int] = defaultdict(int)
        ended = threading.Event()
        measured = Measured(*self._command("update", "movies"))

        def watch() -> None:
            command = psutil.Process(measured.pid)
            while not ended.wait(SAMPLE_INTERVAL_S):
                with _gone():
                    for process in [command, *command.children(recursive=True)]:
                        _note(process, peaks)

        watcher = threading.Thread(target=watch)
        watcher.start()
        try:
            return measured.wait(LONGEST_COMMAND_S), peaks
        finally:
            ended.set()
            watcher.join()
            measured.kill()

    def run(self, *arguments: str) -> Ran:
        """Run a command to its end."""
        return run(*self._command(*arguments), LONGEST_COMMAND_S)

    def _command(self, *arguments: str) -> tuple[list[str], Path, Mapping[str, str], int]:
        line = [sys.executable, "-m", "scrapy", *arguments]
        return line, self._task.directory / arguments[0], self._environment, self._bench.cores.crawler


def _note(process: psutil.Process, peaks: dict[str, int]) -> None:
    with _gone():
        words = process.cmdline()
        sample = look_at(process.pid)
        if sample is not None and "scrapy" in words:
            name = words[words.index("scrapy") + 1]
            peaks[name] = max(peaks[name], sample.peak_bytes)


def _gone() -> contextlib.AbstractContextManager[None]:
    return contextlib.suppress(psutil.NoSuchProcess)
