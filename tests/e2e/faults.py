"""What can break while a crawl runs. Each fault is one function; `chance` makes it repeatable.

None of them undoes what the crawl has to survive by itself, and each leaves the world whole again: it returns
when Redis, sandbox and at least one worker run.
"""

from __future__ import annotations

import os
import random
import signal
import socket
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager

from crawl import LEASE_S, Crawl, Worker
from saboteur import SABOTEURS, installing
from waiting import wait_until

UNREACHABLE_S = 60.0
REFUSED_S = 0.5
"""A connection that takes longer than this on loopback waits for room in the queue."""
MOST_WAITING = 2_000
"""Redis asks for a queue of 511."""
DOWN_S = 6.0
AWAY_S = 2.0
GARBAGE = (
    b'{"id":',
    b"\0" * 4096,
    b"\xff\xfe garbage \n",
    b"[]\n",
    b"null\n",
    b'{"id":"7"}\n',
    b"\n\n",
    b'{"id":-7}\n{"id":99999999}\n',
)


def _someone(crawl: Crawl, chance: random.Random) -> Worker:
    return chance.choice(_alive(crawl) or crawl.start())


def _alive(crawl: Crawl) -> list[Worker]:
    """The workers of this crawl's kind."""
    return [worker for worker in crawl.workers if worker.alive and worker.kind == crawl.kind]


def _some_more_settled(crawl: Crawl, chance: random.Random) -> None:
    """Let a random share of what is left be done first."""
    queued = crawl.queued()
    wanted = crawl.settled() + chance.randint(0, queued // 4)
    wait_until(lambda: crawl.settled() >= wanted, f"{wanted} IDs are settled")


def kill_a_worker(crawl: Crawl, chance: random.Random) -> None:
    """SIGKILL at any moment; another worker starts."""
    _some_more_settled(crawl, chance)
    _someone(crawl, chance).kill()
    crawl.start()


def kill_all_workers(crawl: Crawl, chance: random.Random) -> None:
    """SIGKILL for everybody, then a single one starts."""
    _some_more_settled(crawl, chance)
    for worker in _alive(crawl):
        worker.kill()
    crawl.start()


def freeze_a_worker(crawl: Crawl, chance: random.Random) -> None:
    """SIGSTOP until others have its leases, then SIGCONT: it settles what is not its own any more."""
    _some_more_settled(crawl, chance)
    frozen = _someone(crawl, chance)
    if len(_alive(crawl)) < 2:
        crawl.start()
    frozen.send(signal.SIGSTOP)
    try:
        wait_until(lambda: not _leases_of(crawl, frozen), "its leases are taken over", LEASE_S * 3)
    finally:
        frozen.send(signal.SIGCONT)


def _leases_of(crawl: Crawl, worker: Worker) -> int:
    consumers = crawl.redis.xinfo_consumers(f"{{{crawl.kind}}}:queue", "crawlers")
    mark = f"-{worker.process.pid}-".encode()
    return sum(consumer["pending"] for consumer in consumers if mark in consumer["name"])


def restart_redis(crawl: Crawl, chance: random.Random) -> None:
    """In good order, and away for a moment."""
    _some_more_settled(crawl, chance)
    crawl.redis_server.stop()
    time.sleep(chance.uniform(0, AWAY_S))
    crawl.redis_server.start()


def kill_redis(crawl: Crawl, chance: random.Random) -> None:
    """SIGKILL: what the append-only file had not got yet is gone."""
    _some_more_settled(crawl, chance)
    pid = crawl.redis_server.pid
    assert pid
    os.kill(pid, signal.SIGKILL)
    wait_until(lambda: crawl.redis_server.pid is None, "Redis is gone")
    time.sleep(chance.uniform(0, AWAY_S))
    crawl.redis_server.start()


def make_redis_unreachable(crawl: Crawl, chance: random.Random) -> None:
    """As behind a cut cable: open connections fall silent, and new ones are not answered either."""
    _some_more_settled(crawl, chance)
    pid = crawl.redis_server.pid
    assert pid
    os.kill(pid, signal.SIGSTOP)
    try:
        with _no_more_connections(crawl.redis_server.port):
            time.sleep(UNREACHABLE_S)
    finally:
        os.kill(pid, signal.SIGCONT)


@contextmanager
def _no_more_connections(port: int) -> Iterator[None]:
    """Whoever connects to the frozen server on `port` hangs: the kernel would accept for it, so its queue of
    accepted connections is filled up."""
    with ExitStack() as stack:
        for _ in range(MOST_WAITING):
            filler = stack.enter_context(socket.socket())
            filler.settimeout(REFUSED_S)
            try:
                filler.connect(("127.0.0.1", port))
            except TimeoutError:
                break
        else:
            raise AssertionError(f"{MOST_WAITING} connections wait for Redis, and it still takes more")
        yield


def exhaust_redis_memory(crawl: Crawl, chance: random.Random) -> None:
    """Every write is refused with OOM; the workers say so and wait."""
    _some_more_settled(crawl, chance)
    crawl.redis.config_set("maxmemory", 100_000)
    _somebody_says(crawl, "is out of memory: raise its maxmemory")
    crawl.redis.config_set("maxmemory", 0)


def make_redis_read_only(crawl: Crawl, chance: random.Random) -> None:
    """As after a failover that made it a replica."""
    _some_more_settled(crawl, chance)
    crawl.redis.replicaof("127.0.0.1", 1)
    _somebody_says(crawl, "is read-only (a replica?): point REDIS_URL at the primary")
    crawl.redis.replicaof("NO", "ONE")


def _somebody_says(crawl: Crawl, text: str) -> None:
    wait_until(lambda: any(text in worker.output for worker in crawl.workers), f"a log says {text!r}")


def refuse_connections(crawl: Crawl, chance: random.Random) -> None:
    """The API's machine is gone for a while."""
    _some_more_settled(crawl, chance)
    crawl.stop_sandbox()
    time.sleep(DOWN_S)
    crawl.start_sandbox()


def reset_connections(crawl: Crawl, chance: random.Random) -> None:
    """The API takes connections and drops each."""
    _outage(crawl, chance, True)


def answer_503(crawl: Crawl, chance: random.Random) -> None:
    """The API is offline and says so."""
    _outage(crawl, chance, "503")


def _outage(crawl: Crawl, chance: random.Random, how: bool | str) -> None:
    _some_more_settled(crawl, chance)
    crawl.sandbox.set(down=how)
    time.sleep(DOWN_S)
    crawl.sandbox.set(down=False)


def spoil_part_tails(crawl: Crawl, chance: random.Random) -> None:
    """A machine loses power: its worker is gone, and its part ends in whatever the disk had."""
    _some_more_settled(crawl, chance)
    _someone(crawl, chance).kill()
    parts = crawl.parts()
    dead = [part for part in parts if not _is_written_by_the_living(crawl, part.name)]
    for number, part in enumerate([*dead, *(parts[0].parent / f"gone-{n}.jsonl" for n in range(3))]):
        with part.open("ab") as file:
            file.write(GARBAGE[number % len(GARBAGE)] + chance.randbytes(500))
    (parts[0].parent / "empty.jsonl").touch()
    crawl.start()


def _is_written_by_the_living(crawl: Crawl, part_name: str) -> bool:
    return any(f"-{worker.process.pid}-" in part_name for worker in crawl.workers if worker.alive)


def sabotage_a_worker(crawl: Crawl, chance: random.Random) -> None:
    """A worker kills itself at one exact moment, if it lives to see it; another one starts."""
    after = str(chance.randint(0, 5))
    (doomed,) = crawl.start(1, *installing(chance.choice(SABOTEURS)), SABOTAGE_AFTER=after)
    doomed.wait()
    crawl.start()


def seed_again(crawl: Crawl, chance: random.Random) -> None:
    """The same export once more."""
    _some_more_settled(crawl, chance)
    crawl.seed()


FAULTS: tuple[Callable[[Crawl, random.Random], None], ...] = (
    kill_a_worker,
    kill_all_workers,
    freeze_a_worker,
    restart_redis,
    kill_redis,
    make_redis_unreachable,
    exhaust_redis_memory,
    make_redis_read_only,
    refuse_connections,
    reset_connections,
    answer_503,
    spoil_part_tails,
    sabotage_a_worker,
    seed_again,
)
"""For the soak, which draws from them."""
