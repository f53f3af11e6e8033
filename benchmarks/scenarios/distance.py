"""A long way to the API, and a long way to Redis."""

from __future__ import annotations

from benchmarks.bodies import TMDB_LIKE
from benchmarks.crawlers import Crawl, ours
from benchmarks.delaying_proxy import DelayingProxy
from benchmarks.figures import Goal, Outcome, ratios
from benchmarks.workbench import Workbench

LATENCY_S = 0.2
THREADS = 64
IDEAL_PER_S = THREADS / LATENCY_S
REDIS_ROUND_TRIP_S = 0.05


def far_wire(bench: Workbench) -> Outcome:
    """Every answer takes 200 ms: are all THREADS busy all the time, start and end included?"""
    outcome = Outcome("far-wire")
    movies = bench.sizes.far_movies
    ideal_s = movies / IDEAL_PER_S
    with bench.sandbox(TMDB_LIKE, movies) as server:
        # A crawl that does not count: making a body takes the sandbox longer than answering with one it has.
        bench.crawl(ours(), bench.task(server, movies, THREADS, name="warm up"))
        server.move_away(LATENCY_S)
        done = bench.crawl(ours(), bench.task(server, movies, THREADS, name="far wire"))
    whole = ideal_s / (done.last_ended - done.processes[0].started_at)
    outcome.add(
        "share of the ideal, from the process's start to the last answer", "%", [100 * whole], Goal(98)
    )
    between = ideal_s / (done.last_ended - done.first_arrived)
    outcome.add("share of the ideal, from the first request to the last answer", "%", [100 * between])
    outcome.add("share of the ideal, to the process's end", "%", [100 * ideal_s / done.whole_s])
    outcome.add("peak memory", "MB", [done.peak_bytes / 1e6])
    outcome.remarks.append(
        f"{movies:,} movies, ideal {IDEAL_PER_S:g}/s, so {ideal_s:.1f} s. The server took "
        f"{1000 * done.answer_s:.2f} ms an answer: it allowed {100 * LATENCY_S / done.answer_s:.2f} % of the ideal"
    )
    return outcome


def far_redis(bench: Workbench) -> Outcome:
    """Redis 50 ms away, turn and turn about with Redis near."""
    outcome = Outcome("far-redis")
    server = bench.server(TMDB_LIKE, bench.sizes.movies)
    pairs: list[tuple[Crawl, Crawl]] = []
    with DelayingProxy(bench.redis.port, REDIS_ROUND_TRIP_S / 2, bench.cores.redis) as proxy:
        for _ in range(bench.sizes.runs):
            near = bench.crawl(ours(), bench.task(server, len(server.ids), name="near"))
            far_url = f"redis://127.0.0.1:{proxy.port}/0"
            far = bench.crawl(ours(), bench.task(server, len(server.ids), redis_url=far_url, name="far"))
            pairs.append((far, near))
    far_per_s, near_per_s = [far.per_s for far, _ in pairs], [near.per_s for _, near in pairs]
    outcome.add("Redis near", "requests/s", near_per_s)
    outcome.add("Redis 50 ms away", "requests/s", far_per_s)
    shares = [100 * ratio for ratio in ratios(far_per_s, near_per_s)]
    outcome.add("far as a share of near", "%", shares, Goal(95))
    return outcome
