"""What a polite crawl costs the machine, beside programs that do ever less at the same pace."""

from __future__ import annotations

from benchmarks.bodies import TMDB_LIKE
from benchmarks.crawlers import Task, ours, start_floor
from benchmarks.figures import Goal, Outcome, ratios
from benchmarks.processes import Ran
from benchmarks.scenarios.flatness import between
from benchmarks.servers import ApiServer
from benchmarks.workbench import Workbench

PACE_PER_S = 40
THREADS = 20
SETTLES_S = 2.0
"""From the first request on: what start-up costs is left out."""
ENDS_S = 0.5
"""Before the end: closing is left out."""
FLOORS = {
    "aiohttp": "an aiohttp script at this pace",
    "connections": "bare requests over our connections",
    "timer": "waking up, doing nothing",
}
"""The modes of `benchmarks.floors`."""


def paced(bench: Workbench) -> Outcome:
    """What a polite crawl costs the machine: RATE_LIMIT=40, as by default."""
    movies = PACE_PER_S * bench.sizes.paced_s
    server = bench.server(TMDB_LIKE, max(bench.sizes.movies, movies))
    kept_per_s: list[float] = []
    own: list[float] = []
    floors: dict[str, list[float]] = {mode: [] for mode in FLOORS}
    for _ in range(bench.sizes.runs):
        task = bench.task(server, movies, THREADS, name="paced")
        done = bench.crawl(ours(RATE_LIMIT=str(PACE_PER_S)), task)
        kept_per_s.append(done.per_s)
        own.append(_share(done.processes[0], done.first_arrived + SETTLES_S, done.last_ended - ENDS_S))
        for mode, shares in floors.items():
            shares.append(_floor(bench, server, mode))
    outcome = Outcome("paced")
    outcome.add("share of a core at 40 requests/s", "%", own, Goal(2, at_most=True))
    for mode, name in FLOORS.items():
        outcome.add(f"share of a core: {name}", "%", floors[mode])
    for mode, name in FLOORS.items():
        outcome.add(f"against {name}", "×", ratios(own, floors[mode]))
    outcome.add("processor time", "ms a movie", [1000 * share / 100 / PACE_PER_S for share in own])
    outcome.add("pace kept", "requests/s", kept_per_s)
    return outcome


def _floor(bench: Workbench, server: ApiServer, mode: str) -> float:
    """The share of a core that one of the floors takes, in %."""
    task: Task = bench.task(server, len(server.ids), name=mode)
    task.directory.mkdir(parents=True)
    process = start_floor(task, bench.cores.crawler, mode, PACE_PER_S, bench.sizes.paced_s)
    ran = process.wait(bench.sizes.paced_s + 60)
    # It starts within half a second; nobody asks a server here that could tell when.
    return _share(ran, ran.started_at + SETTLES_S, ran.ended_at - ENDS_S)


def _share(ran: Ran, start: float, end: float) -> float:
    """How much of a core a process took in a time, in %."""
    steady = between(ran, start, end)
    return 100 * (steady[-1].cpu_s - steady[0].cpu_s) / (steady[-1].at - steady[0].at)
