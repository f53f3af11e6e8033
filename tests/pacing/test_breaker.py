"""The breaker in simulated time: when it opens, what it charges, how it probes, how it ends."""

from __future__ import annotations

import asyncio
import logging
import random
from collections import deque
from collections.abc import Callable, Coroutine
from typing import Any

import pytest
from scrapy.crawler import Crawler

from tmdb_scrapy.pacing.breaker import LONGEST_PROBE_GAP_S, Breaker, BreakerClosed
from tmdb_scrapy.queue import Lease
from tmdb_scrapy.queue.feed import Claim

Virtually = Callable[[Coroutine[Any, Any, Any]], Any]


class Api:
    """Up or down, and remembers when it was probed."""

    def __init__(self, *, up: bool = False) -> None:
        self.up = up
        self.probed_at: list[float] = []

    async def probe(self) -> bool:
        self.probed_at.append(asyncio.get_running_loop().time())
        return self.up


def opened(breaker: Breaker) -> Breaker:
    """Fail until it opens, as in an outage with many threads."""
    for _ in range(10):
        breaker.failed()
    assert breaker.is_open
    return breaker


@pytest.mark.parametrize("threads", [10, 20, 64])
def test_total_outage_opens_it_within_one_round(virtually: Virtually, threads: int) -> None:
    async def main() -> None:
        breaker = Breaker(Api().probe, seed=1)
        for _ in range(1000):
            breaker.succeeded()
        for _ in range(threads):
            breaker.failed()
        assert breaker.is_open
        breaker.close()

    virtually(main())


def test_single_thread_in_an_outage_opens_it_with_the_fifth_slow_failure(virtually: Virtually) -> None:
    async def main() -> None:
        breaker = Breaker(Api().probe, seed=1)
        for _ in range(1000):
            breaker.succeeded()
        for attempt in range(5):
            assert not breaker.is_open, attempt
            breaker.failed()
            await asyncio.sleep(2**attempt)
        assert breaker.is_open
        breaker.close()

    virtually(main())


@pytest.mark.parametrize("seed", range(3))
def test_trickle_of_faults_never_opens_it(virtually: Virtually, seed: int) -> None:
    async def main() -> None:
        breaker, dice = Breaker(Api().probe, seed=1), random.Random(seed)
        for _ in range(100_000):
            if dice.random() < 0.1:
                breaker.failed()
            else:
                breaker.succeeded()
            assert not breaker.is_open

    virtually(main())


def test_requests_wait_until_a_probe_works(virtually: Virtually) -> None:
    async def main() -> None:
        api, loop = Api(), asyncio.get_running_loop()
        breaker = opened(Breaker(api.probe, seed=1))
        began = loop.time()
        waiters = [asyncio.create_task(breaker.passage()) for _ in range(3)]
        await asyncio.sleep(600)
        assert not any(waiter.done() for waiter in waiters)
        api.up = True
        await asyncio.gather(*waiters)
        assert loop.time() - began <= 600 + LONGEST_PROBE_GAP_S
        assert not breaker.is_open
        await breaker.passage()

    virtually(main())


def test_probes_come_one_at_a_time_with_growing_gaps(virtually: Virtually) -> None:
    async def main() -> None:
        api = Api()
        began = asyncio.get_running_loop().time()
        breaker = opened(Breaker(api.probe, seed=1))
        await asyncio.sleep(100)
        breaker.close()
        gaps = [b - a for a, b in zip([began, *api.probed_at], api.probed_at, strict=False)]
        for gap, longest in zip(gaps, [0.5, 1, 2, 4, 8, 15, 15, 15], strict=False):
            assert 0.8 * longest <= gap <= longest
        assert len(gaps) >= 8

    virtually(main())


def test_confirmed_outage_is_a_new_generation_once(virtually: Virtually) -> None:
    async def main() -> None:
        api = Api()
        breaker = opened(Breaker(api.probe, seed=1))
        generations = [breaker.generation]
        await asyncio.sleep(60)
        generations.append(breaker.generation)
        api.up = True
        await breaker.passage()
        generations.append(breaker.generation)
        api.up = False
        opened(breaker)
        await asyncio.sleep(60)
        generations.append(breaker.generation)
        assert generations == [0, 1, 1, 2]
        breaker.close()

    virtually(main())


def test_poison_ids_leave_the_generation_and_keep_their_charges(virtually: Virtually) -> None:
    """Only IDs that always fail are left: the crawl ends instead of waiting for ever."""

    async def main() -> None:
        breaker = Breaker(Api(up=True).probe, seed=1)
        attempts = dict.fromkeys(range(20), 0)
        while waiting := [ident for ident, count in attempts.items() if count < 5]:
            for ident in waiting:
                await breaker.passage()
                attempts[ident] += breaker.failed()
        assert breaker.generation == 0
        assert asyncio.get_running_loop().time() < 1000 + 20

    virtually(main())


def test_late_failures_are_not_charged(virtually: Virtually) -> None:
    async def main() -> None:
        api = Api()
        breaker = Breaker(api.probe, seed=1)
        assert breaker.failed()
        sent_in = breaker.generation
        opened(breaker)
        assert not breaker.failed()
        await asyncio.sleep(1)
        api.up = True
        await breaker.passage()
        assert not breaker.failed(sent_in), "sent before the outage, timed out after it"
        assert breaker.failed(breaker.generation)

    virtually(main())


@pytest.mark.parametrize("outage", ["error", "hang"])
def test_probe_that_raises_or_hangs_has_failed(virtually: Virtually, outage: str) -> None:
    async def main() -> None:
        async def probe() -> bool:
            if outage == "hang":
                await asyncio.get_running_loop().create_future()
            raise ConnectionError("refused")

        breaker = opened(Breaker(probe, seed=1))
        await asyncio.sleep(40)
        assert breaker.is_open
        assert breaker.generation == 1
        breaker.close()

    virtually(main())


def test_close_sends_waiters_and_newcomers_away(virtually: Virtually) -> None:
    async def main() -> None:
        api = Api()
        breaker = opened(Breaker(api.probe, seed=1))
        waiter = asyncio.create_task(breaker.passage())
        await asyncio.sleep(0)
        breaker.close()
        with pytest.raises(BreakerClosed):
            await waiter
        with pytest.raises(BreakerClosed):
            await breaker.passage()
        probes = len(api.probed_at)
        await asyncio.sleep(60)
        assert len(api.probed_at) == probes

    virtually(main())


def test_logs_one_warning_and_one_info_with_the_duration(
    virtually: Virtually, caplog: pytest.LogCaptureFixture
) -> None:
    async def main() -> None:
        api = Api()
        breaker = opened(Breaker(api.probe, seed=1))
        await asyncio.sleep(600)
        api.up = True
        await breaker.passage()

    with caplog.at_level(logging.INFO, logger="tmdb_scrapy"):
        virtually(main())
    assert [record.levelname for record in caplog.records] == ["WARNING", "INFO"]
    assert "seems to be down" in caplog.messages[0]
    assert "answers again after 6" in caplog.messages[1]


def test_ten_minutes_of_outage_cost_ten_minutes_and_no_id(
    virtually: Virtually, make_crawler: Callable[..., Crawler], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Twenty threads, the API down from second 10 to 610, attempts counted and repeated by the spider."""
    crawler = make_crawler()
    spider: Any = crawler.spider
    pacing = spider.worker.pacing

    async def main() -> None:
        loop, breaker, done = asyncio.get_running_loop(), pacing.breaker, 0
        began = loop.time()
        claims = deque(Claim(Lease(b"%d-1" % number, number)) for number in range(3000))
        monkeypatch.setattr(
            spider.worker.feed, "again", lambda claim, delay_s: loop.call_later(delay_s, claims.append, claim)
        )

        def down() -> bool:
            return 10 <= loop.time() - began < 610

        async def probe() -> bool:
            await asyncio.sleep(0.2)
            return not down()

        async def thread() -> None:
            nonlocal done
            while done + spider.worker.feed.finished < 3000:
                await breaker.passage()
                sent_in, claim = breaker.generation, claims.popleft() if claims else None
                await asyncio.sleep(0.2)
                if claim is None:
                    continue
                if down():
                    chargeable = pacing.failed(sent_in, "HTTP 503")
                    spider.try_again(claim, "http_503", chargeable=chargeable)
                else:
                    breaker.succeeded()
                    done += 1

        pacing.probe_with(probe)
        await asyncio.gather(*(thread() for _ in range(20)))
        assert (done, spider.worker.feed.take_finished()) == (3000, [])
        assert loop.time() - began < 600 + 30 + 16
        assert breaker.generation == 1

    virtually(main())
