"""One module a question; each has a function from the workbench to an outcome."""

from __future__ import annotations

from collections.abc import Callable

from benchmarks.figures import Outcome
from benchmarks.scenarios.day import day
from benchmarks.scenarios.distance import far_redis, far_wire
from benchmarks.scenarios.merging import merging, merging_full
from benchmarks.scenarios.pacing import paced
from benchmarks.scenarios.peers import peers, peers_uniform, two_processes
from benchmarks.scenarios.scale import scale
from benchmarks.scenarios.seeding import seeding
from benchmarks.scenarios.tables import tables
from benchmarks.scenarios.worker import memory, startup
from benchmarks.scenarios.workers import workers
from benchmarks.workbench import Workbench

SCENARIOS: dict[str, Callable[[Workbench], Outcome]] = {
    "peers": peers,
    "peers-26k": peers_uniform,
    "processes": two_processes,
    "far-wire": far_wire,
    "far-redis": far_redis,
    "paced": paced,
    "memory": memory,
    "startup": startup,
    "seeding": seeding,
    "workers": workers,
    "merging": merging,
    "merging-full": merging_full,
    "scale": scale,
    "day": day,
    "tables": tables,
}
"""By the name that `--only` takes, in the order in which they run."""

NOT_BY_DEFAULT = frozenset({"merging-full", "scale", "day", "tables"})
"""Take half an hour, or 15 GB of disk."""
