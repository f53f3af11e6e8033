"""A thousand workers that beat, lease and settle against one Redis: what that costs it.

    python -m benchmarks.beats --workers 1000 --redis redis://127.0.0.1:7777/0

Empties that database. Each worker settles its share twice a second, leases as much, beats every two seconds
(as under a FLEET_RATE_LIMIT) and looks for leases of the dead every ten, as the crawler does. One process
plays them all and may be too slow: what Redis needed is told for what was done, and in proportion for all
that was due.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import time
from collections.abc import Sequence

import redis.asyncio

from tmdb_scrapy.kinds import KINDS
from tmdb_scrapy.queue import Heartbeat, IdQueue, Settlement, State
from tmdb_scrapy.queue.keys import HEARTBEAT_INTERVAL_S, HEARTBEAT_TTL_S
from tmdb_scrapy.queue.needs import fleet_needs
from tmdb_scrapy.queue.neighbours import neighbours

SETTLE_INTERVAL_S = 0.5
WORKERS_A_MACHINE = 4


def heartbeat(number: int) -> Heartbeat:
    host = f"host-{number // WORKERS_A_MACHINE}"
    machine = f"{number // WORKERS_A_MACHINE:032x}-4026531840"
    return Heartbeat(
        name=f"{host}-{number}-abcdef", host=host,
        machine=machine, pid=number, state="crawling", rate_per_s=10.0, allowed_per_s=10.0,
        outcomes={"kept": 1_000, "dropped": 5_000, "missing": 100}, durations=[100] * 20,
    )  # fmt: skip


async def worker(
    client: redis.asyncio.Redis, number: int, rate_per_s: float, ends_at: float
) -> tuple[int, int]:
    queues = [IdQueue(client, kind) for kind in KINDS.values()]
    queue, own = queues[0], heartbeat(number)
    beats_at = looks_at = 0.0
    settled, beats, owed = 0, 0, 0.0
    await asyncio.sleep(SETTLE_INTERVAL_S * (number % 97) / 97)
    while (now := time.monotonic()) < ends_at:
        if now >= beats_at:
            beats_at = now + HEARTBEAT_INTERVAL_S
            beats += 1
            await queue.heartbeats.beat(own)
            await neighbours(queues, own.machine)
            await fleet_needs(queues, queue.kind.name, own.name, float(number % 40))
        if now >= looks_at:
            looks_at = now + HEARTBEAT_TTL_S
            await queue.reclaim(own.name, 10)
        owed += rate_per_s * SETTLE_INTERVAL_S
        leases = await queue.lease(own.name, int(owed)) or [] if owed >= 1 else []
        owed -= int(owed)
        if leases:
            settled += await queue.settle(Settlement(lease, State.MISSING) for lease in leases)
        await asyncio.sleep(max(0.0, SETTLE_INTERVAL_S - (time.monotonic() - now)))
    return settled, beats


async def used(client: redis.asyncio.Redis) -> tuple[float, int]:
    """Processor seconds and bytes sent, since Redis started."""
    told = await client.info()
    return told["used_cpu_sys"] + told["used_cpu_user"], told["total_net_output_bytes"]


async def measure(url: str, count: int, seconds: float, rate_per_s: float) -> str:
    pool = redis.asyncio.BlockingConnectionPool.from_url(url, max_connections=50, timeout=60)
    client = redis.asyncio.Redis(connection_pool=pool)
    await client.flushdb()
    queue = IdQueue(client, KINDS["movies"])
    await queue.seed(list(range(1, round(rate_per_s * seconds * 2) + 1)))
    for number in range(count):
        await queue.heartbeats.beat(heartbeat(number))
    before, began = await used(client), time.monotonic()
    ends_at = began + seconds
    done = await asyncio.gather(*(worker(client, n, rate_per_s / count, ends_at) for n in range(count)))
    took_s, after = time.monotonic() - began, await used(client)
    await client.aclose()
    settled, beats = (sum(each) / took_s for each in zip(*done, strict=True))
    share = beats / (count / HEARTBEAT_INTERVAL_S)
    core, sent = (after[0] - before[0]) / took_s, (after[1] - before[1]) / took_s / 1e6
    return (
        f"{count:,} workers for {took_s:.0f} s, {beats:,.0f} beats/s ({share:.0%} of those due), "
        f"{settled:,.0f} IDs/s: Redis {core:.0%} of a core, {sent:.1f} MB/s out; for all beats due "
        f"{core / share:.0%}, {sent / share:.1f} MB/s; {os.cpu_count()} cores"
    )


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--workers", type=int, default=1_000)
    parser.add_argument("--seconds", type=float, default=20.0)
    parser.add_argument("--rate", type=float, default=2_000.0, help="IDs a second, of all together")
    parser.add_argument("--redis", required=True, help="URL of a database that may be emptied")
    given = parser.parse_args(arguments)
    print(asyncio.run(measure(given.redis, given.workers, given.seconds, given.rate)))


if __name__ == "__main__":
    main()
