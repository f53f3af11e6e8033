"""Workers that are played: what Redis gets is a worker's, byte for byte and at its times; they fetch nothing.

`python -m benchmarks.fleet FIRST LAST IDS_A_SECOND SECONDS` plays the workers from FIRST to before LAST with
REDIS_URL. It says `ready`, begins when it gets a line, and tells in the end, in JSON, what it did (`Done`).

A thousand workers with a client of the project's own would need cores for themselves. So a played worker does
everything once by the project's code, and sends the bytes that were heard then again and again, over
connections of its own, as a worker has them. A settlement is never the same: the project's code packs each.
"""

from __future__ import annotations

import asyncio
import contextlib
import math
import os
import sys
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

import hiredis
import msgspec
import redis.asyncio
import uvloop

from tmdb_scrapy.config import Config
from tmdb_scrapy.extensions.settlement import FEW, LONGEST_WAIT_S
from tmdb_scrapy.extensions.settlement import INTERVAL_S as SETTLE_INTERVAL_S
from tmdb_scrapy.kinds import KINDS
from tmdb_scrapy.queue import Heartbeat, IdQueue, Lease, Settlement, State
from tmdb_scrapy.queue.feed import AHEAD_S, RECLAIM_INTERVAL_S
from tmdb_scrapy.queue.history import Traffic
from tmdb_scrapy.queue.keys import HEARTBEAT_INTERVAL_S
from tmdb_scrapy.queue.needs import fleet_needs
from tmdb_scrapy.queue.neighbours import neighbours
from tmdb_scrapy.queue.recorded_settings import present

MOVIES = KINDS["movies"]
WORKERS_A_MACHINE = 14
"""1,000 workers have some 70 addresses then."""
LOOKS_EVERY = round(RECLAIM_INTERVAL_S / SETTLE_INTERVAL_S)
ANSWER_MS = 150
ENDS = ((State.KEPT, ""), (State.DROPPED, "budget"), (State.DROPPED, "crew"), (State.MISSING, ""))

Request = tuple[bytes, int]
"""What is sent at once, and how many replies it has."""


class Done(msgspec.Struct):
    """What a process has played."""

    beats: int = 0
    leases: int = 0
    """Requests for some."""
    settlements: int = 0
    settled: int = 0
    """IDs."""
    latest_s: float = 0.0
    """How long after its time something was begun, at worst."""


def heartbeat(number: int) -> Heartbeat:
    """That of a worker in mid-crawl."""
    machine = number // WORKERS_A_MACHINE
    return Heartbeat(
        name=f"host-{machine}-{number}-abcdef", host=f"host-{machine}", machine=f"{machine:032x}-4026531840",
        pid=number, state="crawling", rate_per_s=2.86, allowed_per_s=2.86, in_use=True, in_flight=1, leased=4,
        outcomes={"kept": 1_000, "dropped": 5_000, "missing": 100}, answers=6_100, durations=[610] * 10,
        duration_total_s=915.123, memory_bytes=100_000_000, started_at=1795600000.5, seen_at=1795600000.5,
    )  # fmt: skip


class Listening(redis.asyncio.Connection):
    """Notes what the project's code sends, a request for each round trip."""

    heard: list[Request]

    async def send_packed_command(self, command: Any, check_health: bool = True) -> None:
        packed = command if isinstance(command, bytes) else b"".join(command)
        reader, replies = hiredis.Reader(), 0
        reader.feed(packed)
        while reader.gets() is not False:
            replies += 1
        self.heard.append((packed, replies))
        await super().send_packed_command(command, check_health)


class Packing:
    """A client whose scripts are not called: what would be sent is in `packed`."""

    packed = b""

    def __init__(self, client: redis.asyncio.Redis) -> None:
        self._client = client

    def __getattr__(self, name: str) -> Any:
        return getattr(self._client, name)

    def register_script(self, source: str) -> Callable[..., Awaitable[int]]:
        sha = self._client.register_script(source).sha

        async def call(keys: Sequence[str], arguments: Sequence[Any]) -> int:
            self.packed = hiredis.pack_command(("EVALSHA", sha, len(keys), *keys, *arguments))
            return 0

        return call


class Connection(asyncio.Protocol):
    """A connection to Redis, with one request under way at a time."""

    def __init__(self) -> None:
        self._reader = hiredis.Reader()
        self._replies: list[Any] = []
        self._awaited = 0
        self._answered: asyncio.Future[list[Any]] | None = None

    def connection_made(self, transport: Any) -> None:
        self._transport = transport

    @classmethod
    async def to(cls, url: str) -> Connection:
        """Raises what asyncio raises, and `RuntimeError` when the password is refused."""
        where, loop = urlsplit(url), asyncio.get_running_loop()
        _, connection = await loop.create_connection(cls, where.hostname or "", where.port or 6379)
        if where.password:
            user, password = unquote(where.username or "") or "default", unquote(where.password)
            words: Any = ("AUTH", user, password)
            await connection.ask((hiredis.pack_command(words), 1))
        return connection

    def ask(self, request: Request) -> asyncio.Future[list[Any]]:
        """The replies. Raises `RuntimeError` when one is an error."""
        packed, self._awaited = request
        self._replies = []
        self._answered = asyncio.get_running_loop().create_future()
        self._transport.write(packed)
        return self._answered

    def data_received(self, data: bytes) -> None:
        self._reader.feed(data)
        while (reply := self._reader.gets()) is not False:
            self._replies.append(reply)
        if len(self._replies) < self._awaited or self._answered is None:
            return
        if faults := [reply for reply in self._replies if isinstance(reply, Exception)]:
            self._answered.set_exception(RuntimeError(f"Redis answered: {faults[0]}"))
        else:
            self._answered.set_result(self._replies)

    def close(self) -> None:
        self._transport.close()


class Worker:
    """Settles `per_s` IDs a second; what it does is added to `done`."""

    _beat: list[Request]
    _reclaim: list[Request]
    _lease: list[Request]

    def __init__(self, number: int, per_s: float, done: Done) -> None:
        self.own = heartbeat(number)
        self._per_s, self._done = per_s, done
        self._wanted = 2 + math.ceil(per_s * AHEAD_S)
        """What a feed of one slot keeps ready."""
        self._ready: deque[Lease] = deque()
        self._fetched: list[Lease] = []
        self._settled_at = 0.0

    async def prepare(self, client: redis.asyncio.Redis, heard: list[Request]) -> None:
        """Do everything once, while nothing is queued, and note what is `heard` by `client`'s connection."""
        queues = [IdQueue(client, kind) for kind in KINDS.values()]
        queue, name = queues[0], self.own.name

        async def beat() -> None:
            await queue.heartbeats.beat(self.own)
            await neighbours(queues, self.own.machine)
            await fleet_needs(queues, queue.kind.name, name, self.own.rate_per_s)

        async def listen(act: Callable[[], Awaitable[object]]) -> list[Request]:
            await act()  # scripts are loaded with it
            heard.clear()
            await act()
            return list(heard)

        self._beat = await listen(beat)
        self._reclaim = await listen(lambda: queue.reclaim(name, self._wanted))
        self._lease = await listen(lambda: queue.lease(name, self._wanted))
        await queue.settle([], Traffic(name))
        self._packing = Packing(client)
        self._queue = IdQueue(self._packing, queue.kind)  # type: ignore[arg-type]
        await self._queue.settle_under(present(Config.load({}, Path("none")), queue.kind))

    async def connect(self, url: str) -> None:
        self._beats, self._works = await Connection.to(url), await Connection.to(url)

    async def play(self, began: float, seconds: float, offset: float) -> None:
        """From the loop time `began`. `offset`: which share of an interval passes first, for workers are not
        in step."""
        regularly = self._regularly
        await asyncio.gather(
            regularly(self._beat_once, HEARTBEAT_INTERVAL_S, began, seconds, offset),
            regularly(self._work_once, SETTLE_INTERVAL_S, began, seconds, offset),
        )
        self._beats.close()
        self._works.close()

    async def _regularly(
        self,
        act: Callable[[int], Awaitable[None]],
        interval_s: float,
        began: float,
        seconds: float,
        offset: float,
    ) -> None:
        loop = asyncio.get_running_loop()
        for turn in range(int(seconds / interval_s)):
            due = began + (turn + offset) * interval_s
            await asyncio.sleep(due - loop.time())
            self._done.latest_s = max(self._done.latest_s, loop.time() - due)
            await act(turn)

    async def _beat_once(self, turn: int) -> None:
        for request in self._beat:
            await self._beats.ask(request)
        self._done.beats += 1

    async def _work_once(self, turn: int) -> None:
        """Settle what was fetched, unless it is little and too soon, and lease more when half is used up."""
        fetched_before, fetched = (int(n * SETTLE_INTERVAL_S * self._per_s) for n in (turn, turn + 1))
        for _ in range(min(fetched - fetched_before, len(self._ready))):
            self._fetched.append(self._ready.popleft())
        now = asyncio.get_running_loop().time()
        if len(self._fetched) >= FEW or now - self._settled_at >= LONGEST_WAIT_S:
            self._settled_at = now
            await self._settle(Traffic(self.own.name, fetched, 0, fetched * ANSWER_MS))
        if turn % LOOKS_EVERY == LOOKS_EVERY // 2:
            await self._works.ask(self._reclaim[0])
        if len(self._ready) <= self._wanted // 2:
            (leased,) = await self._works.ask(self._lease[0])
            pairs = zip(leased[::2], leased[1::2], strict=True)
            self._ready.extend(Lease(entry, int(tmdb_id)) for entry, tmdb_id in pairs)
            self._done.leases += 1

    async def _settle(self, traffic: Traffic) -> None:
        leases, self._fetched = self._fetched, []
        packing = self._queue.settle(
            (Settlement(each, *ENDS[each.id % len(ENDS)]) for each in leases), traffic
        )
        with contextlib.suppress(StopIteration):
            packing.send(None)
        (settled,) = await self._works.ask((self._packing.packed, 1))
        self._done.settled += settled
        self._done.settlements += 1


async def play(url: str, numbers: range, per_s: float, seconds: float) -> Done:
    """Play workers that settle `per_s` IDs a second together."""
    done, heard = Done(), list[Request]()
    workers = [Worker(number, per_s / len(numbers), done) for number in numbers]
    listening = type("ListeningHere", (Listening,), {"heard": heard})
    pool = redis.asyncio.ConnectionPool.from_url(url, connection_class=listening)
    async with redis.asyncio.Redis(connection_pool=pool) as client:
        for worker in workers:
            await IdQueue(client, MOVIES).heartbeats.beat(worker.own)
        for worker in workers:
            await worker.prepare(client, heard)
    for worker in workers:
        await worker.connect(url)
    print("ready", flush=True)
    await asyncio.to_thread(sys.stdin.readline)
    began = asyncio.get_running_loop().time()
    await asyncio.gather(
        *(worker.play(began, seconds, place / len(workers)) for place, worker in enumerate(workers))
    )
    return done


def main() -> None:
    first, last, per_s, seconds = sys.argv[1:]
    done = uvloop.run(
        play(os.environ["REDIS_URL"], range(int(first), int(last)), float(per_s), float(seconds))
    )
    print(msgspec.json.encode(done).decode())


if __name__ == "__main__":
    main()
