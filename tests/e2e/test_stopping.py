"""Stopped in any phase, a crawl hands everything back, says so, and goes on the next time."""

from __future__ import annotations

import os
import signal
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager

import pytest
from crawl import LEASE_S, Crawl, Worker
from engines import with_scrapys_own_engine
from waiting import wait_until

SECONDS_TO_STOP = 12.0
"""In flight requests end, the rest is handed back: anything longer would make people kill it."""
MANY = 500_000
"""IDs, which take seconds to seed."""


def in_the_middle(crawl: Crawl) -> Worker:
    (worker,) = crawl.start()
    crawl.await_settled(100)
    return worker


def while_it_starts(crawl: Crawl) -> Worker:
    """Redis takes its time with the worker's first write, so the signal comes before it is registered."""
    crawl.redis.client_pause(2000, all=False)
    (worker,) = crawl.start()
    worker.says("Spider opened")
    return worker


def while_it_waits_for_others(crawl: Crawl) -> Worker:
    """All that is left is leased by a worker that is frozen, and seems alive."""
    (other,) = crawl.start(1, THREADS="1000", PROCESSES="1")
    other.says("Spider opened")
    crawl.await_settled(1)
    other.send(signal.SIGSTOP)
    (worker,) = crawl.start()
    wait_until(lambda: b'"state":"waiting"' in b"".join(crawl.heartbeats().values()), "it waits")
    return worker


def while_the_api_is_down(crawl: Crawl) -> Worker:
    worker = in_the_middle(crawl)
    crawl.sandbox.set(down=True)
    asked = crawl.asked()
    wait_until(lambda: crawl.asked() > asked + 20, "the worker notices")
    return worker


def while_redis_is_away(crawl: Crawl) -> Worker:
    worker = in_the_middle(crawl)
    crawl.redis_server.stop()
    worker.says("no Redis answers at")
    return worker


PHASES = (
    while_it_starts,
    in_the_middle,
    while_it_waits_for_others,
    while_the_api_is_down,
    while_redis_is_away,
)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM], ids=["Ctrl-C", "SIGTERM"])
@pytest.mark.parametrize("phase", PHASES)
def test_a_worker_stopped(
    crawl: Callable[..., Crawl], phase: Callable[[Crawl], Worker], number: signal.Signals
) -> None:
    assert_goes_on_where_it_was_stopped(crawl, phase, number)


@with_scrapys_own_engine
@pytest.mark.parametrize("phase", PHASES)
def test_a_worker_with_scrapys_own_engine_stopped(
    crawl: Callable[..., Crawl], phase: Callable[[Crawl], Worker]
) -> None:
    assert_goes_on_where_it_was_stopped(crawl, phase, signal.SIGINT)


def assert_goes_on_where_it_was_stopped(
    crawl: Callable[..., Crawl], phase: Callable[[Crawl], Worker], number: signal.Signals
) -> None:
    stopped = crawl("--movies", "800", "--latency-ms", "50", RATE_LIMIT="200")
    stopped.seed()
    worker = phase(stopped)
    started_at = time.monotonic()
    worker.send(number)
    assert worker.wait() == 130, worker.output
    assert time.monotonic() - started_at < SECONDS_TO_STOP + (LEASE_S if phase is while_redis_is_away else 0)

    stopped.sandbox.set(down=False)
    stopped.redis_server.start()
    if phase is not while_redis_is_away:
        protected = [name for name in stopped.heartbeats() if f"-{worker.process.pid}-" in name]
        assert not protected, "its leases stay its own although it is gone"
    for other in stopped.workers:
        other.send(signal.SIGCONT)
    stopped.start(2)
    stopped.finish()
    stopped.assert_exact()
    assert stopped.lost() == 0


def test_a_second_run_fetches_nothing_again(crawl: Callable[..., Crawl]) -> None:
    stopped = crawl("--movies", "600", "--latency-ms", "50", RATE_LIMIT="200")
    stopped.seed()
    worker = in_the_middle(stopped)
    worker.send(signal.SIGINT)
    assert worker.wait() == 130
    started_at = time.monotonic()
    stopped.start()
    stopped.finish()
    assert time.monotonic() - started_at < LEASE_S, "the leases were not handed back at once"
    stopped.assert_exact()
    assert stopped.fetched_twice() == 0


def test_seeding_stopped_halfway_is_completed_by_the_next(crawl: Callable[..., Crawl]) -> None:
    large = crawl("--movies", "1")
    export = large.directory / "export.json"
    export.write_text("".join(f'{{"id":{number},"popularity":1}}\n' for number in range(1, MANY + 1)))
    seeding = large.start_command([sys.executable, "-m", "scrapy", "seed", "movies", "--file", str(export)])
    wait_until(lambda: large.redis.xlen("{movies}:queue"), "the first IDs are queued")
    seeding.send(signal.SIGTERM)
    assert seeding.wait() != 0
    assert 0 < large.redis.xlen("{movies}:queue") < MANY
    large.seed("--file", str(export))
    assert len(large.ledger()) == large.queued() == large.redis.xlen("{movies}:queue") == MANY
    assert large.redis.hgetall("{movies}:counts") == {b"queued": str(MANY).encode()}


def test_merging_stopped_halfway_leaves_the_earlier_file(crawl: Callable[..., Crawl]) -> None:
    merging = crawl("--movies", "300", FILTER="off", RATE_LIMIT="0")
    merging.seed()
    merging.start(2)
    merging.finish()
    merging.assert_exact()
    before = merging.merged.stat().st_ino, merging.merged.read_bytes()
    with endless_part(merging) as comes_to_it:
        merge = merging.start_command([sys.executable, "-m", "scrapy", "merge", "movies"])
        comes_to_it()
        merge.send(signal.SIGTERM)
        assert merge.wait(20) != 0
    assert (merging.merged.stat().st_ino, merging.merged.read_bytes()) == before
    for leftover in merging.data.glob("*.partial"):
        leftover.unlink()
    merging.assert_exact()


@contextmanager
def endless_part(crawl: Crawl) -> Iterator[Callable[[], None]]:
    """A last part of which nothing comes and that does not end; gives what waits until it is read."""
    path = crawl.parts()[0].with_name("zzz.jsonl")
    os.mkfifo(path)
    with ExitStack() as stack:
        stack.callback(path.unlink)

        def is_read() -> bool:
            try:
                writer = os.open(path, os.O_WRONLY | os.O_NONBLOCK)
            except OSError:  # nobody has opened it for reading
                return False
            stack.callback(os.close, writer)
            return True

        yield lambda: wait_until(is_read, "merging has come to the last part")


def test_two_signals_end_a_worker_at_once_and_cost_nothing(crawl: Callable[..., Crawl]) -> None:
    """The first would let the requests in flight end, which takes them longer than this test waits."""
    impatient = crawl("--movies", "400", "--latency-ms", "20000", RATE_LIMIT="0")
    impatient.seed()
    (worker,) = impatient.start()
    wait_until(lambda: impatient.sandbox.stats()["in_flight"], "requests are on the wire")
    worker.send(signal.SIGINT)
    worker.says("shutting down gracefully")
    worker.send(signal.SIGINT)
    assert worker.wait(8) != 0
    impatient.sandbox.set(latency_ms=0)
    impatient.start(2)
    impatient.finish()
    impatient.assert_exact()
