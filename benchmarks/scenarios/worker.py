"""One worker by itself: how soon it begins, what it costs when paced, what it remembers."""

from __future__ import annotations

import statistics
from collections.abc import Sequence

from benchmarks.bodies import TMDB_LIKE
from benchmarks.crawlers import Crawl, ours
from benchmarks.figures import Goal, Outcome
from benchmarks.processes import Sample
from benchmarks.workbench import Workbench

PACE_PER_S = 40
THREADS = 20
SETTLES_S = 2.0
"""Start-up, left out of what a paced worker costs."""
STARTUP_MOVIES = 50
STARTUP_RUNS = 5


def paced(bench: Workbench) -> Outcome:
    """What a polite crawl costs the machine: RATE_LIMIT=40, as by default."""
    outcome = Outcome("paced")
    movies = PACE_PER_S * bench.sizes.paced_s
    server = bench.server(TMDB_LIKE, max(bench.sizes.movies, movies))
    done = bench.crawl(ours(RATE_LIMIT=str(PACE_PER_S)), bench.task(server, movies, THREADS, name="paced"))
    steady = _between(done, done.first_arrived + SETTLES_S, done.last_ended)
    share = (steady[-1].cpu_s - steady[0].cpu_s) / (steady[-1].at - steady[0].at)
    outcome.add("share of a core at 40 requests/s", "%", [100 * share], Goal(2, at_most=True))
    outcome.add("processor time", "ms a movie", [1000 * share / PACE_PER_S])
    outcome.add("pace kept", "requests/s", [done.per_s])
    return outcome


def memory(bench: Workbench) -> Outcome:
    """A worker at full speed: its peak, and whether it grows."""
    outcome = Outcome("memory")
    movies = 2 * bench.sizes.movies
    server = bench.server(TMDB_LIKE, movies)
    done = bench.crawl(ours(), bench.task(server, movies, name="memory"))
    outcome.add("peak memory of a worker", "MB", [done.peak_bytes / 1e6], Goal(120, at_most=True))
    outcome.add("growth from the second to the last fifth of the crawl", "MB", [growth_bytes(done) / 1e6])
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


def growth_bytes(done: Crawl) -> float:
    """How much more memory a worker has in the last fifth of a crawl than in the second one."""
    fifth_s = (done.last_ended - done.first_arrived) / 5
    early = _between(done, done.first_arrived + fifth_s, done.first_arrived + 2 * fifth_s)
    late = _between(done, done.last_ended - fifth_s, done.last_ended)
    return statistics.median(sample.resident_bytes for sample in late) - statistics.median(
        sample.resident_bytes for sample in early
    )


def _between(done: Crawl, start: float, end: float) -> Sequence[Sample]:
    samples = done.processes[0].samples
    return [sample for sample in samples if start <= sample.at <= end] or samples


def _ending_s(done: Crawl) -> float:
    return done.processes[0].ended_at - done.last_ended
