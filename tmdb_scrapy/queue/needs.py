"""How many workers of the whole fleet need how much of its limit: what `FLEET_RATE_LIMIT` is divided by."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence

from tmdb_scrapy.queue.id_queue import IdQueue
from tmdb_scrapy.queue.keys import HEARTBEAT_TTL_S

SMALLEST_PER_S = 1 / 16
LARGEST_PER_S = 1024.0


def rounded(need_per_s: float) -> float:
    """The next power of two, in requests a second, so that a fleet of any size has few different needs: 0,
    from `SMALLEST_PER_S` to `LARGEST_PER_S`, and infinity. Up: nobody is taken to need less than it does."""
    if need_per_s <= 0:
        return 0.0
    if need_per_s > LARGEST_PER_S:
        return math.inf
    return max(2.0 ** math.ceil(math.log2(need_per_s)), SMALLEST_PER_S)


async def fleet_needs(queues: Sequence[IdQueue], kind: str, worker: str, need_per_s: float) -> Counter[float]:
    """Tell what a worker of `kind` needs, rounded; returns how many live workers of all these kinds, this one
    included, have which need. Two round trips, and one for each other kind that is crawled; they cost the
    same however large the fleet is. Raises what redis-py raises."""
    found = Counter[float]()
    others = [queue for queue in queues if queue.kind.name != kind]
    async with queues[0].client.pipeline(transaction=False) as pipe:
        for queue in others:
            pipe.exists(queue.keys.needs)
        crawled = [queue for queue, is_there in zip(others, await pipe.execute(), strict=True) if is_there]
    for queue in queues:
        own: list[str | float] = [worker, rounded(need_per_s)] if queue.kind.name == kind else []
        if own or queue in crawled:
            keys = [queue.keys.alive, queue.keys.needs]
            counted = await queue.count_needs(keys, [HEARTBEAT_TTL_S, *own])
            for need, workers in zip(counted[::2], counted[1::2], strict=True):
                found[float(need)] += int(workers)
    return found
