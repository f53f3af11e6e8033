"""Which workers live on one machine: they share its address, and so its limits."""

from __future__ import annotations

from collections.abc import Sequence

from tmdb_scrapy.queue.heartbeat import Heartbeat, read
from tmdb_scrapy.queue.id_queue import IdQueue


async def neighbours(queues: Sequence[IdQueue], machine: str) -> list[Heartbeat]:
    """The live workers of a machine, of all these kinds: two round trips, which cost the same however large
    the fleet is. Raises what redis-py raises."""
    client, found = queues[0].client, list[Heartbeat]()
    async with client.pipeline(transaction=False) as pipe:
        for queue in queues:
            pipe.zrange(queue.keys.machine(machine), 0, -1)
        by_queue = await pipe.execute()
    for queue, written in zip(queues, by_queue, strict=True):
        if names := [name.decode() for name in written]:
            values = await client.mget([queue.keys.worker(name) for name in names])
            found += [read(name, value) for name, value in zip(names, values, strict=True) if value]
    return found
