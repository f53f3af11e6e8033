"""The whole crawl beside its peers: the same movies, server and core, turn and turn about."""

from __future__ import annotations

from benchmarks import capacity
from benchmarks.bodies import TMDB_LIKE, UNIFORM
from benchmarks.crawlers import (
    PLAIN_AIOHTTP,
    PLAIN_PYREQWEST,
    REQUESTS,
    SCRAPYS_ENGINE,
    STOCK,
    STOCK_QUIET,
    Crawl,
    ours,
)
from benchmarks.figures import Goal, Outcome, ratios
from benchmarks.servers import ApiServer
from benchmarks.workbench import Workbench

CAPACITY_S = 3
BUSY = 0.9
"""A server that worked for this share of the time may have been what was measured."""
WARM_UP = 100
PER_S = "requests/s"
GOALS = {
    PLAIN_PYREQWEST.name: Goal(0.6),
    PLAIN_AIOHTTP.name: Goal(1.9),
    REQUESTS.name: Goal(5.0),
    STOCK.name: Goal(15.0),
    STOCK_QUIET.name: None,
    SCRAPYS_ENGINE.name: None,
}
"""How many times as fast as each peer this project wants to be on one core."""
TWO_PROCESSES_GOAL = Goal(1.5)


def peers(bench: Workbench) -> Outcome:
    """Bodies as TMDb has them."""
    return _compare("peers", bench, bench.server(TMDB_LIKE, bench.sizes.movies))


def peers_uniform(bench: Workbench) -> Outcome:
    """26 KB for all."""
    return _compare("peers-26k", bench, bench.server(UNIFORM, max(bench.sizes.movies // 2, 1)))


def _compare(scenario: str, bench: Workbench, server: ApiServer) -> Outcome:
    outcome = Outcome(scenario)
    crawlers = [ours(), PLAIN_PYREQWEST, PLAIN_AIOHTTP, STOCK, STOCK_QUIET, REQUESTS, SCRAPYS_ENGINE]
    task = bench.task(server, len(server.ids), name="capacity")
    client, capacity_per_s = capacity.measure(task, bench.cores.crawler, CAPACITY_S)
    for crawler in crawlers:
        bench.crawl(crawler, bench.task(server, min(WARM_UP, len(server.ids)), name="warm-up"))
    done: dict[str, list[Crawl]] = {crawler.name: [] for crawler in crawlers}
    for _ in range(bench.sizes.runs):
        for crawler in crawlers:
            movies = max(int(len(server.ids) * crawler.share), min(len(server.ids), 50))
            done[crawler.name].append(bench.crawl(crawler, bench.task(server, movies, name=crawler.name)))
    for name, crawls in done.items():
        outcome.add(name, PER_S, [crawl.per_s for crawl in crawls])
    for name, crawls in done.items():
        outcome.add(f"{name}: processor time", "ms a movie", [crawl.cpu_ms for crawl in crawls])
        outcome.add(f"{name}: start to first request", "s", [crawl.startup_s for crawl in crawls])
        outcome.add(f"{name}: peak memory", "MB", [crawl.peak_bytes / 1e6 for crawl in crawls])
    own = done[crawlers[0].name]
    for name, goal in GOALS.items():
        runs = ratios([crawl.per_s for crawl in own], [crawl.per_s for crawl in done[name]])
        outcome.add(f"against {name}", "×", runs, goal)
    fastest = max(crawl.per_s for crawls in done.values() for crawl in crawls)
    outcome.remarks.append(_judge_server(server, client, capacity_per_s, fastest, own))
    return outcome


def _judge_server(
    server: ApiServer, client: str, capacity_per_s: float, fastest: float, own: list[Crawl]
) -> str:
    busiest = max(crawl.server_busy for crawl in own)
    verdict = (
        "it may have been the bottleneck: our figures are a lower bound"
        if busiest >= BUSY or capacity_per_s < fastest / BUSY
        else "it was not the bottleneck"
    )
    return (
        f"Server: {server.name}; answers {capacity_per_s:,.0f} requests/s to {client}, "
        f"{capacity_per_s / fastest:.1f} times the fastest crawl, and worked {busiest:.0%} of the time of "
        f"ours: {verdict}."
    )


def two_processes(bench: Workbench) -> Outcome:
    """What a machine with two cores does: our two workers, and a script that can only use one."""
    outcome = Outcome("processes")
    server = bench.server(TMDB_LIKE, bench.sizes.movies)
    cores = [bench.cores.crawler, bench.cores.second_crawler]
    pairs: list[tuple[Crawl, Crawl]] = []
    for _ in range(bench.sizes.runs):
        two = bench.crawl(ours(), bench.task(server, len(server.ids), name="two"), cores)
        script = bench.crawl(PLAIN_AIOHTTP, bench.task(server, len(server.ids), name="script"))
        pairs.append((two, script))
    ours_per_s, script_per_s = [two.per_s for two, _ in pairs], [script.per_s for _, script in pairs]
    outcome.add("tmdb-scrapy, PROCESSES=2", PER_S, ours_per_s)
    outcome.add(PLAIN_AIOHTTP.name, PER_S, script_per_s)
    outcome.add(f"against {PLAIN_AIOHTTP.name}", "×", ratios(ours_per_s, script_per_s), TWO_PROCESSES_GOAL)
    if bench.cores.count < 3:
        outcome.remarks.append(
            "The second worker shares its core with the server and Redis: more cores, more."
        )
    return outcome
