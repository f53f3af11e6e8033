"""Who lives: the heartbeats of a kind's workers in Redis."""

from __future__ import annotations

import time
from typing import Any

import msgspec
from redis.exceptions import ResponseError

from tmdb_scrapy.queue.heartbeat import Heartbeat, read
from tmdb_scrapy.queue.keys import GROUP, HEARTBEAT_TTL_S, MACHINE_TTL_S, Keys


class Heartbeats:
    """Those of one kind. Every method is a round trip or two and raises what redis-py raises."""

    def __init__(self, client: Any, keys: Keys) -> None:
        self._redis = client
        self._keys = keys

    async def beat(self, heartbeat: Heartbeat) -> None:
        """Say that a worker lives: its leases are its own for the next `HEARTBEAT_TTL_S` seconds."""
        keys = self._keys
        async with self._redis.pipeline(transaction=False) as pipe:
            value = msgspec.json.encode(heartbeat)
            pipe.set(keys.worker(heartbeat.name), value, px=int(HEARTBEAT_TTL_S * 1000))
            pipe.xgroup_createconsumer(keys.queue, GROUP, heartbeat.name)
            here, now = keys.machine(heartbeat.machine), time.time()
            pipe.zadd(here, {heartbeat.name: now})
            pipe.zremrangebyscore(here, "-inf", now - MACHINE_TTL_S)
            pipe.expire(here, MACHINE_TTL_S)
            await pipe.execute()

    async def end(self, worker: str) -> None:
        """A worker lives no more: whatever it still holds is anybody's at once."""
        keys = self._keys
        async with self._redis.pipeline(transaction=False) as pipe:
            pipe.delete(keys.worker(worker), keys.traffic(worker), keys.no_one_gone)
            pipe.zrem(keys.alive, worker)
            pipe.zrem(keys.needs, worker)
            await pipe.execute()

    async def living(self) -> list[Heartbeat]:
        """The workers that live, by name."""
        try:
            consumers = await self._redis.xinfo_consumers(self._keys.queue, GROUP)
        except ResponseError as error:
            if any(words in str(error) for words in ("NOGROUP", "no such key", "WRONGTYPE")):
                return []
            raise
        names = sorted(consumer["name"].decode() for consumer in consumers)
        values = await self._redis.mget([self._keys.worker(name) for name in names]) if names else []
        return [read(name, value) for name, value in zip(names, values, strict=True) if value]

    async def refuse_any(self, error: type[Exception], still: str) -> None:
        """Raises `error` while workers live: `still` says what they do, and they are named."""
        if live := [worker.name for worker in await self.living()]:
            raise error(
                f"{still}: {', '.join(live)}. End them first (Ctrl-C, or make stop), then run this again"
            )
