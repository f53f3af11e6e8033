"""A thousand workers against one Redis: what they cost it."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import msgspec
import redis

from benchmarks.figures import Goal, Outcome
from benchmarks.fleet import MOVIES, WORKERS_A_MACHINE, Done
from benchmarks.machine import on_core
from benchmarks.workbench import Workbench
from tmdb_scrapy.queue import IdQueue
from tmdb_scrapy.queue.keys import HEARTBEAT_INTERVAL_S

PROCESSES = 4
REQUESTS_A_MACHINE = 40
"""A second: RATE_LIMIT, unless somebody says otherwise."""
PERCENT_OF_A_CORE = Goal(30, at_most=True)
MEGABYTES = Goal(10, at_most=True)
ALL = Goal(100)
Player = subprocess.Popen[str]


def workers(bench: Workbench) -> Outcome:
    """Played workers beat, lease and settle against one Redis, each at a worker's times."""
    outcome = Outcome("workers")
    count, seconds = bench.sizes.workers, bench.sizes.fleet_s
    per_s = count / WORKERS_A_MACHINE * REQUESTS_A_MACHINE
    with redis.Redis.from_url(bench.redis_url) as client, _players(bench, per_s) as players:
        asyncio.run(_seed(bench.redis_url, round(2 * per_s * seconds)))
        before, began = client.info(), time.monotonic()
        done = _played(players)
        after, took_s = client.info(), time.monotonic() - began
        client.flushall()

    def used_per_s(*names: str) -> float:
        return float(sum(after[name] - before[name] for name in names)) / took_s

    core = 100 * used_per_s("used_cpu_user", "used_cpu_sys")
    outcome.add(f"Redis's share of a core, {count:,} workers", "%", [core], PERCENT_OF_A_CORE)
    outcome.add("sent by it", "MB/s", [used_per_s("total_net_output_bytes") / 1e6], MEGABYTES)
    outcome.add("sent to it", "MB/s", [used_per_s("total_net_input_bytes") / 1e6], MEGABYTES)
    beats_due = count * (seconds // HEARTBEAT_INTERVAL_S)
    outcome.add(
        "beats of those that were due", "%", [100 * sum(each.beats for each in done) / beats_due], ALL
    )
    outcome.add("the latest began after its time by", "s", [max(each.latest_s for each in done)])
    outcome.add("IDs", "settled/s", [sum(each.settled for each in done) / took_s])
    return outcome


@contextlib.contextmanager
def _players(bench: Workbench, per_s: float) -> Iterator[list[Player]]:
    """Processes that play the workers, a machine's all in one; they are ready."""
    count, seconds = bench.sizes.workers, bench.sizes.fleet_s
    machines = count / WORKERS_A_MACHINE / PROCESSES
    bounds = [round(machines * number) * WORKERS_A_MACHINE for number in range(PROCESSES)] + [count]
    asyncio.run(_seed(bench.redis_url, 0))
    paths = str(Path(__file__).parents[2])
    with contextlib.ExitStack() as stack:
        players = []
        for first, last in itertools.pairwise(bounds):
            share = str(per_s * (last - first) / count)
            command = [sys.executable, "-m", "benchmarks.fleet", str(first), str(last), share, str(seconds)]
            environment = {**bench.environment, "PYTHONPATH": paths, "REDIS_URL": bench.redis_url}
            with on_core(bench.cores.crawler):
                player = subprocess.Popen(
                    command, env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
                )
            stack.enter_context(player)
            stack.callback(player.kill)
            players.append(player)
        for player in players:
            assert player.stdout is not None
            if not player.stdout.readline():
                raise RuntimeError(f"players did not begin: they ended with {player.wait()}")
        yield players


def _played(players: list[Player]) -> list[Done]:
    """Have all begin at once; returns what each has done."""
    for player in players:
        assert player.stdin is not None
        player.stdin.write("begin\n")
        player.stdin.flush()
    return [msgspec.json.decode(player.communicate()[0], type=Done) for player in players]


async def _seed(url: str, count: int) -> None:
    async with redis.asyncio.Redis.from_url(url) as client:
        await IdQueue(client, MOVIES).seed(range(1, count + 1))
