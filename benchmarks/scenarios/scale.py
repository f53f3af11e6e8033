"""A whole day's export, from its file to the merged and audited result."""

from __future__ import annotations

import math
import statistics
import sys
from pathlib import Path

import redis

from benchmarks.bodies import TMDB_LIKE
from benchmarks.crawlers import Task, start_ours
from benchmarks.figures import Goal, Outcome
from benchmarks.processes import Ran, run
from benchmarks.scenarios.seeding import command_environment, used_bytes, write_export
from benchmarks.workbench import Workbench

LONGEST_CRAWL_S = 4 * 3600.0


def scale(bench: Workbench) -> Outcome:
    """Seed, crawl with `scale_processes` workers against the sandbox, merge, audit."""
    outcome = Outcome("scale")
    ids = bench.sizes.ids
    export = write_export(bench.place, ids)
    directory = bench.new_directory("scale")
    data = directory / "data"
    environment = command_environment(bench, data)

    def command(*arguments: str) -> Ran:
        line = [sys.executable, "-m", "scrapy", *arguments]
        return run(line, directory / arguments[0], environment, bench.cores.crawler)

    with redis.Redis(port=bench.redis.port) as client:
        client.flushall()
        empty_bytes = used_bytes(client)
        seeded = command("seed", "movies", "--file", str(export))
        redis_bytes = used_bytes(client) - empty_bytes
        workers = _crawl(bench, directory)
        left = client.xlen("{movies}:queue")
    merged, audited = command("merge", "movies"), command("audit", "movies")
    crawl_s = max(ran.ended_at for ran in workers) - workers[0].started_at
    outcome.add(f"seeding {ids:,} IDs", "s", [seeded.wall_s], Goal(8, at_most=True))
    outcome.add("memory of Redis", "bytes an ID", [redis_bytes / ids], Goal(20, at_most=True))
    outcome.add("crawling them", "s", [crawl_s])
    outcome.add("crawling them", "requests/s", [ids / crawl_s])
    peak = max(ran.peak_bytes for ran in workers)
    outcome.add("peak memory of a worker", "MB", [peak / 1e6], Goal(120, at_most=True))
    outcome.add("memory of a worker in each tenth of its time", "MB", _tenths(workers[0]))
    outcome.add("merging", "s", [merged.wall_s])
    outcome.add("peak memory of merging", "MB", [merged.peak_bytes / 1e6])
    outcome.add("auditing", "s", [audited.wall_s])
    outcome.remarks.append(f"{left} IDs left in the queue; the audit found everything in agreement")
    return outcome


def _crawl(bench: Workbench, directory: Path) -> list[Ran]:
    cores = [bench.cores.crawler, bench.cores.second_crawler][: bench.sizes.scale_processes]
    with bench.whole_sandbox(TMDB_LIKE, bench.sizes.ids) as server:
        task = Task(server, [], directory, bench.redis_url, bench.environment)
        workers = start_ours(task, cores)
        try:
            return [worker.wait(LONGEST_CRAWL_S) for worker in workers]
        finally:
            for worker in workers:
                worker.kill()


def _tenths(ran: Ran) -> list[float]:
    """Median resident memory in MB in each tenth of a process's life."""
    resident = [sample.resident_bytes / 1e6 for sample in ran.samples]
    step = max(math.ceil(len(resident) / 10), 1)
    return [statistics.median(resident[start : start + step]) for start in range(0, len(resident), step)]
