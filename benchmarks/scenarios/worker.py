"""One worker by itself: how soon it begins, what it remembers."""

from __future__ import annotations

from benchmarks.bodies import TMDB_LIKE
from benchmarks.crawlers import Crawl, ours
from benchmarks.figures import Goal, Outcome
from benchmarks.scenarios.flatness import FLAT, growth_mb, tenths_mb
from benchmarks.workbench import Workbench

MEMORY = Goal(120, at_most=True)
"""MB, the most that a worker may take."""
STARTUP_MOVIES = 50
STARTUP_RUNS = 5


def memory(bench: Workbench) -> Outcome:
    """A worker at full speed: its peak, and whether it grows."""
    outcome = Outcome("memory")
    movies = 2 * bench.sizes.movies
    server = bench.server(TMDB_LIKE, movies)
    done = bench.crawl(ours(), bench.task(server, movies, name="memory"))
    worker = done.processes[0]
    growth = growth_mb(worker, done.first_arrived, done.last_ended)
    outcome.add("peak memory of a worker", "MB", [done.peak_bytes / 1e6], MEMORY)
    outcome.add("growth from the second to the last fifth of the crawl", "MB", [growth], FLAT)
    outcome.add("memory in each tenth of its time", "MB", tenths_mb(worker))
    outcome.remarks.append(f"{movies:,} movies at full speed")
    return outcome


def startup(bench: Workbench) -> Outcome:
    """`scrapy crawl` from its start to its first request, by the server's clock."""
    outcome = Outcome("startup")
    server = bench.server(TMDB_LIKE, bench.sizes.movies)
    movies = min(STARTUP_MOVIES, len(server.ids))
    runs = [bench.crawl(ours(), bench.task(server, movies, name="startup")) for _ in range(STARTUP_RUNS)]
    seconds = [done.startup_s for done in runs]
    outcome.add("start to first request", "s", seconds, Goal(1.0, at_most=True))
    outcome.add("last answer to the end of the process", "s", [_ending_s(done) for done in runs])
    return outcome


def _ending_s(done: Crawl) -> float:
    return done.processes[0].ended_at - done.last_ended
