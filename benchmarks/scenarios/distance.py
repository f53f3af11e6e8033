"""A long way to the API, and a long way to Redis."""

from __future__ import annotations

import statistics
from collections.abc import Callable

from benchmarks.bodies import TMDB_LIKE
from benchmarks.crawlers import BARE, Crawl, ours
from benchmarks.delaying_proxy import DelayingProxy
from benchmarks.figures import Goal, Outcome, ratios
from benchmarks.servers import ApiServer
from benchmarks.workbench import Workbench

LATENCY_S = 0.2
THREADS = 64
IDEAL_PER_S = THREADS / LATENCY_S
LONG_RUNS = 3
"""A run takes more than a minute."""
BARE_SHARE = 0.25
"""Of the movies, for the bare connections: their gap does not depend on how many there are."""
REDIS_ROUND_TRIP_S = 0.05


def far_wire(bench: Workbench) -> Outcome:
    """Every answer takes 200 ms: are all THREADS busy all the time, start and end included?"""
    movies = bench.sizes.far_movies
    few = max(int(movies * BARE_SHARE), THREADS)
    with bench.sandbox(TMDB_LIKE, movies) as server:
        # A crawl that does not count: making a body takes the sandbox longer than answering with one it has.
        bench.crawl(ours(), bench.task(server, movies, THREADS, name="warm up"))
        server.move_away(LATENCY_S)
        done, bare = [], []
        for _ in range(min(bench.sizes.runs, LONG_RUNS)):
            done.append(bench.crawl(ours(), bench.task(server, movies, THREADS, name="far wire")))
            bare.append(bench.crawl(BARE, bench.task(server, few, THREADS, name="bare")))
    return _shares(movies, done, bare)


def _shares(movies: int, done: list[Crawl], bare: list[Crawl]) -> Outcome:
    outcome = Outcome("far-wire")
    ideal_s = movies / IDEAL_PER_S

    def share_of_ideal(took_s: Callable[[Crawl], float]) -> list[float]:
        return [100 * ideal_s / took_s(crawl) for crawl in done]

    whole = share_of_ideal(lambda crawl: crawl.last_ended - crawl.processes[0].started_at)
    between = share_of_ideal(lambda crawl: crawl.last_ended - crawl.first_arrived)
    outcome.add("share of the ideal, from the process's start to the last answer", "%", whole, Goal(98))
    outcome.add("share of the ideal, from the first request to the last answer", "%", between)
    outcome.add("share of the ideal, to the process's end", "%", share_of_ideal(lambda crawl: crawl.whole_s))
    outcome.add("start to first request", "s", [crawl.startup_s for crawl in done])
    outcome.add("an answer, latency included", "ms", [1000 * crawl.answer_s for crawl in done])
    outcome.add("from an answer to the slot's next request", "ms", [1000 * crawl.gap_s for crawl in done])
    outcome.add("the same, bare connections", "ms", [1000 * crawl.gap_s for crawl in bare])
    outcome.add("peak memory", "MB", [crawl.peak_bytes / 1e6 for crawl in done])
    allowed = LATENCY_S / statistics.median(crawl.answer_s for crawl in done)
    outcome.remarks.append(
        f"{movies:,} movies, ideal {IDEAL_PER_S:g}/s, so {ideal_s:.1f} s. By the time that it took for an "
        f"answer the server allowed {allowed:.2%} of the ideal."
    )
    return outcome


def far_redis(bench: Workbench) -> Outcome:
    """Redis 50 ms away, turn and turn about with Redis near."""
    server = bench.server(TMDB_LIKE, bench.sizes.redis_movies)
    near: list[Crawl] = []
    far: list[Crawl] = []
    with DelayingProxy(bench.redis.port, REDIS_ROUND_TRIP_S / 2, bench.cores.redis) as proxy:
        turns = [
            (near, bench.redis_url),
            (far, bench.redis_url.replace(f":{bench.redis.port}/", f":{proxy.port}/")),
        ]
        for _, url in turns:
            _crawl(bench, server, url)  # warms caches, does not count
        for _ in range(bench.sizes.pairs):
            for crawls, url in turns:
                crawls.append(_crawl(bench, server, url))
            turns.reverse()  # neither is always the one that comes after the other
    outcome = Outcome("far-redis")
    near_per_s, far_per_s = [crawl.per_s for crawl in near], [crawl.per_s for crawl in far]
    outcome.add("Redis near", "requests/s", near_per_s)
    outcome.add("Redis 50 ms away", "requests/s", far_per_s)
    shares = [100 * ratio for ratio in ratios(far_per_s, near_per_s)]
    outcome.add("far as a share of near", "%", shares, Goal(95))
    return outcome


def _crawl(bench: Workbench, server: ApiServer, redis_url: str) -> Crawl:
    return bench.crawl(ours(), bench.task(server, len(server.ids), redis_url=redis_url, name="redis"))
