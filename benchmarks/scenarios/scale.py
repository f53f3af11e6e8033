"""A whole day's export, from its file to the merged and audited result."""

from __future__ import annotations

import sys
import time
from pathlib import Path

import redis

from benchmarks.bodies import TMDB_LIKE
from benchmarks.crawlers import Task, start_ours
from benchmarks.figures import Goal, Outcome
from benchmarks.processes import ProcessFailed, Ran, run
from benchmarks.scenarios.flatness import FLAT, growth_mb, tenths_mb
from benchmarks.scenarios.seeding import BYTES_AN_ID, SECONDS, command_environment, used_bytes, write_export
from benchmarks.scenarios.worker import MEMORY
from benchmarks.workbench import Workbench
from tmdb_scrapy.queue.keys import Keys

LONGEST_CRAWL_S = 4 * 3600.0
LONGEST_COMMAND_S = 1800.0
NONE = Goal(0, at_most=True)


def scale(bench: Workbench) -> Outcome:
    """Seed, crawl with `scale_processes` workers against the sandbox, merge, audit."""
    outcome = Outcome("scale")
    job = _Job(bench)
    began = time.time()
    job.seed(outcome)
    job.crawl(outcome)
    job.merge(outcome)
    job.audit(outcome)
    outcome.add("the whole job", "s", [time.time() - began])
    outcome.remarks.append(
        f"{bench.sizes.ids:,} IDs, PROCESSES={len(job.cores)}, against the sandbox. It makes each body when "
        "it is asked for, which takes longer than fetching it: the time of the crawl is the sandbox's"
    )
    return outcome


class _Job:
    """The steps of the job, each of which adds what it found to an outcome."""

    def __init__(self, bench: Workbench) -> None:
        self._bench = bench
        self._ids = bench.sizes.ids
        self._export = write_export(bench.place, self._ids)
        self._directory = bench.new_directory("scale")
        self._environment = command_environment(bench, self._directory / "data")
        self.cores = [bench.cores.crawler, bench.cores.second_crawler][: bench.sizes.scale_processes]

    def seed(self, outcome: Outcome) -> None:
        with redis.Redis.from_url(self._bench.redis_url) as client:
            client.flushall()
            empty_bytes = used_bytes(client)
            seeded = self._command("seed", "movies", "--file", str(self._export))
            redis_bytes = used_bytes(client) - empty_bytes
        outcome.add(f"seeding {self._ids:,} IDs", "s", [seeded.wall_s], SECONDS)
        outcome.add("memory of Redis", "bytes an ID", [redis_bytes / self._ids], BYTES_AN_ID)

    def crawl(self, outcome: Outcome) -> None:
        workers = self._crawled()
        began, ended = workers[0].started_at, max(ran.ended_at for ran in workers)
        outcome.add("crawling them", "s", [ended - began])
        outcome.add("crawling them", "requests/s", [self._ids / (ended - began)])
        outcome.add("peak memory of a worker", "MB", [ran.peak_bytes / 1e6 for ran in workers], MEMORY)
        growth = [growth_mb(ran, began, ended) for ran in workers]
        outcome.add("growth from the second to the last fifth of the crawl", "MB", growth, FLAT)
        for number, ran in enumerate(workers, 1):
            outcome.add(f"memory of worker {number} in each tenth of its time", "MB", tenths_mb(ran))
        with redis.Redis.from_url(self._bench.redis_url) as client:
            outcome.add("left in the queue", "IDs", [client.xlen(Keys("movies").queue)], NONE)

    def _crawled(self) -> list[Ran]:
        with self._bench.whole_sandbox(TMDB_LIKE, self._ids) as server:
            task = Task(server, [], self._directory, self._bench.redis_url, self._bench.environment)
            # What follows goes by outcomes of the same settings only.
            self._environment["TMDB_API_URL"] = server.api_url
            workers = start_ours(task, self.cores)
            try:
                return [worker.wait(LONGEST_CRAWL_S) for worker in workers]
            finally:
                for worker in workers:
                    worker.kill()

    def merge(self, outcome: Outcome) -> None:
        merged = self._command("merge", "movies")
        outcome.add("merging", "s", [merged.wall_s])
        outcome.add("peak memory of merging", "MB", [merged.peak_bytes / 1e6])

    def audit(self, outcome: Outcome) -> None:
        """An audit that finds something wrong is a result too: hours of measurements must not go with it."""
        try:
            audited = self._command("audit", "movies")
        except ProcessFailed as error:
            code, remark = error.code, f"the audit did not agree: {error}"
        else:
            outcome.add("auditing", "s", [audited.wall_s])
            code, remark = 0, "the audit exited with 0: export, ledger, queue and merged file agree"
        outcome.add("the audit's exit code", "", [code], NONE)
        outcome.remarks.append(remark)

    def _command(self, *arguments: str) -> Ran:
        line = [sys.executable, "-m", "scrapy", *arguments]
        directory: Path = self._directory / arguments[0]
        core = self._bench.cores.crawler
        return run(line, directory, self._environment, core, LONGEST_COMMAND_S)
