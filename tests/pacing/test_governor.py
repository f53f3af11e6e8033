"""The governor with its pace, against simulated limits and on the real event loop.

The simulated requests take half of a random round trip to the server, which decides when they arrive, and
half back. Time is simulated, asyncio is real, dice have seeds.
"""

from __future__ import annotations

import asyncio
import itertools
import random
import time
from collections.abc import Callable, Coroutine
from typing import Any

import pytest
import uvloop
from simulation import Bucket, Run, Server, Window

from tmdb_scrapy.pacing.governor import Governor, GovernorClosed
from tmdb_scrapy.pacing.pace import Pace

Virtually = Callable[[Coroutine[Any, Any, Any]], Any]

FAR = (0.1, 0.27)
NEAR = (0.015, 0.025)


async def crawl(
    server: Server,
    seconds: float,
    *,
    round_trip_s: tuple[float, float] = FAR,
    threads: int = 20,
    senders: int = 1,
    retry_after_s: float | None = None,
    cap_per_s: float = 0.0,
    changes: tuple[tuple[float, float], ...] = (),
    seed: int = 1,
) -> Run:
    """Send as fast as the governors let us; `changes` are moments and the server's limit from then on."""
    loop = asyncio.get_running_loop()
    began, run = loop.time(), Run()
    run.paces = [Pace(cap_per_s, senders) for _ in range(senders)]

    async def thread(sender: int, governor: Governor, dice: random.Random) -> None:
        while loop.time() < began + seconds:
            await governor.acquire()
            sent_at = loop.time()
            await asyncio.sleep(dice.uniform(*round_trip_s) / 2)
            allowed = server.allows(loop.time())
            run.arrivals.append((loop.time() - began, sender, allowed))
            await asyncio.sleep(dice.uniform(*round_trip_s) / 2)
            if allowed:
                governor.answered(sent_at)
            else:
                governor.throttled(sent_at, retry_after_s)

    async def heartbeat(pace: Pace, dice: random.Random) -> None:
        await asyncio.sleep(dice.uniform(0, 2))
        while loop.time() < began + seconds:
            pace.nudge(sum(other.rate_per_s for other in run.paces) / senders)
            await asyncio.sleep(2)

    async def change_limit() -> None:
        for at, limit_per_s in changes:
            await asyncio.sleep(began + at - loop.time())
            server.limit_per_s = limit_per_s

    work: list[Coroutine[Any, Any, None]] = [change_limit()]
    for sender, pace in enumerate(run.paces):
        dice, governor = random.Random(100 * seed + sender), Governor(pace)
        work += [thread(sender, governor, dice) for _ in range(threads // senders)]
        work.append(heartbeat(pace, dice))
    await asyncio.gather(*work)
    return run


class TestFindingTheLimit:
    @pytest.mark.parametrize(
        ("server", "round_trip_s", "threads", "used", "refused"),
        [
            (lambda: Bucket(50, 50), FAR, 20, 0.97, 0.02),
            (lambda: Bucket(50, 10), FAR, 20, 0.97, 0.02),
            (lambda: Window(50, 0.0), FAR, 20, 0.97, 0.02),
            (lambda: Window(50, 0.5), FAR, 20, 0.965, 0.025),
            (lambda: Bucket(50, 50), NEAR, 20, 0.97, 0.02),
            (lambda: Bucket(50, 10), NEAR, 20, 0.97, 0.02),
            (lambda: Window(50, 0.0), NEAR, 20, 0.97, 0.02),
            (lambda: Window(50, 0.5), NEAR, 20, 0.97, 0.02),
            (lambda: Bucket(50, 50), FAR, 64, 0.97, 0.025),
            (lambda: Bucket(100, 100), FAR, 32, 0.97, 0.02),
            (lambda: Window(100, 0.0), FAR, 32, 0.965, 0.02),
            (lambda: Window(100, 0.5), NEAR, 20, 0.97, 0.02),
            # The start is at twice this limit, and twenty-four refusals in a minute are two in a hundred.
            (lambda: Bucket(20, 20), FAR, 20, 0.97, 0.03),
            (lambda: Window(20, 0.5), FAR, 20, 0.965, 0.055),
            (lambda: Window(20, 0.5), NEAR, 20, 0.97, 0.02),
        ],
    )
    def test_unknown_limit_is_used_and_respected(
        self,
        virtually: Virtually,
        server: Callable[[], Server],
        round_trip_s: tuple[float, float],
        threads: int,
        used: float,
        refused: float,
    ) -> None:
        limit = server()
        run = virtually(crawl(limit, 60, round_trip_s=round_trip_s, threads=threads))
        assert run.served_per_s(0, 60) >= used * limit.limit_per_s
        assert run.refused_share(0, 60) <= refused

    @pytest.mark.parametrize("round_trip_s", [FAR, NEAR])
    @pytest.mark.parametrize(
        "server", [lambda: Bucket(50, 50), lambda: Bucket(50, 10), lambda: Window(50, 0.5)]
    )
    def test_halved_limit_is_followed_within_ten_seconds(
        self, virtually: Virtually, server: Callable[[], Server], round_trip_s: tuple[float, float]
    ) -> None:
        run = virtually(crawl(server(), 40, round_trip_s=round_trip_s, changes=((20, 25),)))
        assert run.refused_share(30, 40) <= 0.02
        assert 22.5 <= run.served_per_s(30, 40) <= 27.5

    @pytest.mark.parametrize("round_trip_s", [FAR, NEAR])
    @pytest.mark.parametrize(
        "server", [lambda n: Bucket(n, n), lambda n: Bucket(n, 10), lambda n: Window(n, 0.5)]
    )
    @pytest.mark.parametrize(("before", "after"), [(25, 50), (50, 100)])
    def test_doubled_limit_is_found_within_thirty_seconds(
        self,
        virtually: Virtually,
        server: Callable[[float], Server],
        before: float,
        after: float,
        round_trip_s: tuple[float, float],
    ) -> None:
        run = virtually(
            crawl(server(before), 55, round_trip_s=round_trip_s, threads=32, changes=((20, after),))
        )
        assert run.served_per_s(50, 55) >= 0.9 * after

    def test_outage_of_the_limit_is_recovered_from(self, virtually: Virtually) -> None:
        """Everything refused for twenty seconds, as when an address is banned for a while."""
        run = virtually(crawl(Window(50), 70, round_trip_s=NEAR, changes=((20, 0), (40, 50))))
        assert run.served_per_s(55, 70) >= 0.95 * 50

    @pytest.mark.parametrize(
        ("server", "used"),
        [
            (lambda: Bucket(50, 50), 0.97),
            # A window gives nothing back for the second of silence after each refusal.
            (lambda: Window(50, 0.5), 0.8),
        ],
    )
    def test_retry_after_costs_what_it_asks_and_little_more(
        self, virtually: Virtually, server: Callable[[], Server], used: float
    ) -> None:
        run = virtually(crawl(server(), 60, round_trip_s=NEAR, retry_after_s=1.0))
        assert run.served_per_s(0, 60) >= used * 50
        assert run.refused_share(0, 60) <= 0.02

    @pytest.mark.parametrize("retry_after_s", [1.0, 3.0])
    def test_nothing_is_sent_before_retry_after_has_passed(
        self, virtually: Virtually, retry_after_s: float
    ) -> None:
        way_s = 0.05
        run = virtually(
            crawl(Window(50), 30, round_trip_s=(2 * way_s, 2 * way_s), retry_after_s=retry_after_s)
        )
        refusals = [at for at, _, ok in run.arrivals if not ok]
        assert refusals
        for refused_at in refusals:
            silent_from, silent_until = refused_at + 2 * way_s, refused_at + 2 * way_s + retry_after_s
            late = [at for at, _, _ in run.arrivals if silent_from + 1e-6 < at < silent_until - 1e-6]
            assert late == []

    @pytest.mark.parametrize("round_trip_s", [FAR, NEAR])
    @pytest.mark.parametrize(
        "server", [lambda: Bucket(50, 50), lambda: Bucket(50, 10), lambda: Window(50, 0.8)]
    )
    def test_four_senders_share_a_limit_fairly(
        self, virtually: Virtually, server: Callable[[], Server], round_trip_s: tuple[float, float]
    ) -> None:
        run = virtually(crawl(server(), 60, senders=4, round_trip_s=round_trip_s))
        assert run.served_per_s(0, 60) >= 0.95 * 50
        assert run.refused_share(0, 60) <= 0.02
        for sender in range(4):
            assert 10 <= run.served_per_s(0, 60, sender) <= 15

    def test_sixteen_senders_share_a_limit_fairly(self, virtually: Virtually) -> None:
        run = virtually(crawl(Bucket(100, 100), 60, senders=16, threads=64))
        assert run.served_per_s(0, 60) >= 0.95 * 100
        assert run.refused_share(0, 60) <= 0.02
        for sender in range(16):
            assert 0.8 * 100 / 16 <= run.served_per_s(0, 60, sender) <= 1.2 * 100 / 16

    def test_without_a_limit_it_never_holds_the_crawl_back(self, virtually: Virtually) -> None:
        """Eight connections with round trips of 5 ms could do 1,600 a second."""
        run = virtually(crawl(Bucket(1e9, 1e9), 5, round_trip_s=(0.005, 0.005), threads=8))
        assert run.served_per_s(2, 5) >= 0.97 * 1600
        assert run.paces[0].rate_per_s < 3 * 1600, "grows no further than there is demand"

    def test_known_rate_is_kept_exactly_and_without_bursts(self, virtually: Virtually) -> None:
        run = virtually(crawl(Bucket(1e9, 1e9), 60, cap_per_s=20, round_trip_s=NEAR))
        assert run.served_per_s(1, 60) == pytest.approx(20, rel=0.01)
        times = [at for at, _, _ in run.arrivals]
        assert all(later - first > 1 for first, later in zip(times, times[25:], strict=False))


class TestTurns:
    def test_come_first_come_first_served(self, virtually: Virtually) -> None:
        async def main() -> list[int]:
            governor, order = Governor(Pace(20)), list[int]()

            async def wait(number: int) -> None:
                await governor.acquire()
                order.append(number)

            await asyncio.gather(*(wait(number) for number in range(50)))
            return order

        assert virtually(main()) == list(range(50))

    def test_newcomer_waits_for_retry_after_as_well(self, virtually: Virtually) -> None:
        async def main() -> float:
            governor, loop = Governor(Pace(20)), asyncio.get_running_loop()
            await governor.acquire()
            sent_at = loop.time()
            await asyncio.sleep(2)
            governor.throttled(sent_at, 3.0)
            refused_at = loop.time()
            await governor.acquire()
            return loop.time() - refused_at

        assert virtually(main()) == pytest.approx(3.0)

    def test_cancelled_waiters_lose_no_turn_of_others(self, virtually: Virtually) -> None:
        async def main() -> float:
            governor, loop = Governor(Pace(20)), asyncio.get_running_loop()
            began = loop.time()
            tasks = [asyncio.create_task(governor.acquire()) for _ in range(41)]
            await asyncio.sleep(0)
            assert [task.done() for task in tasks] == [True] + [False] * 40
            for task in tasks[1::2]:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            ended_at = loop.time()
            await governor.acquire()
            assert loop.time() - ended_at == pytest.approx(0.05, abs=0.002), "somebody still waits"
            return ended_at - began

        assert virtually(main()) == pytest.approx(1.0, abs=0.01)

    def test_waiter_cancelled_with_its_turn_in_hand_gives_it_back(self, virtually: Virtually) -> None:
        async def main() -> float:
            governor, loop = Governor(Pace(10)), asyncio.get_running_loop()
            began = loop.time()
            await governor.acquire()
            first, second = (asyncio.create_task(governor.acquire()) for _ in range(2))
            await asyncio.sleep(0)
            # Runs after the timer that hands out the turn, before the task that got it.
            loop.call_at(began + 0.1, first.cancel)
            await second
            assert first.cancelled()
            return loop.time() - began

        assert virtually(main()) == pytest.approx(0.1, abs=0.01)

    def test_change_of_the_rate_sets_waiters_anew(self, virtually: Virtually) -> None:
        async def main() -> float:
            pace = Pace(0.5)
            governor, loop = Governor(pace), asyncio.get_running_loop()
            await governor.acquire()
            governor.answered(loop.time())
            waiter = asyncio.create_task(governor.acquire())
            await asyncio.sleep(0.1)
            began = loop.time()
            pace.cap_per_s = 0
            pace.nudge(40)
            await waiter
            return loop.time() - began

        assert virtually(main()) < 0.05

    def test_stalled_loop_is_not_followed_by_a_burst(self, virtually: Virtually) -> None:
        async def main() -> int:
            governor, loop = Governor(Pace(40)), asyncio.get_running_loop()
            await governor.acquire()
            await asyncio.sleep(10)
            began, burst = loop.time(), 0
            while loop.time() == began:
                await governor.acquire()
                burst += loop.time() == began
            return burst

        assert virtually(main()) == 2

    def test_after_a_pause_they_go_out_at_the_usual_pace(self, virtually: Virtually) -> None:
        async def main() -> list[float]:
            governor, loop, turns = Governor(Pace(20)), asyncio.get_running_loop(), list[float]()

            async def wait() -> None:
                await governor.acquire()
                turns.append(loop.time())

            await governor.acquire()
            governor.pause()
            tasks = [asyncio.create_task(wait()) for _ in range(10)]
            await asyncio.sleep(30)
            assert not turns and not any(task.done() for task in tasks)
            governor.resume()
            await asyncio.gather(*tasks)
            return turns

        turns = virtually(main())
        gaps = [later - turn for turn, later in itertools.pairwise(turns)]
        assert gaps == pytest.approx([0.05] * 9, abs=0.002)

    def test_pause_does_not_count_as_lack_of_demand(self, virtually: Virtually) -> None:
        async def main() -> float:
            pace = Pace(20)
            governor = Governor(pace)
            await governor.acquire()
            governor.pause()
            waiter = asyncio.create_task(governor.acquire())
            await asyncio.sleep(30)
            governor.resume()
            await waiter
            return pace.idle_s

        assert virtually(main()) == 0

    def test_close_sends_waiters_and_newcomers_away(self, virtually: Virtually) -> None:
        async def main() -> None:
            governor = Governor(Pace(1))
            tasks = [asyncio.create_task(governor.acquire()) for _ in range(3)]
            await asyncio.sleep(0)
            governor.close()
            assert tasks[0].done()
            await tasks[0]
            for task in tasks[1:]:
                with pytest.raises(GovernorClosed):
                    await task
            with pytest.raises(GovernorClosed):
                await governor.acquire()

        virtually(main())

    def test_turn_that_has_come_is_taken_without_a_trip_through_the_event_loop(
        self, virtually: Virtually
    ) -> None:
        """What makes it cheap at high rates: no future, no timer, no other task in between."""

        async def main() -> None:
            pace = Pace(0)
            pace.rate_per_s = 1e7
            governor = Governor(pace)
            for _ in range(1_000):
                turn = governor.acquire()
                with pytest.raises(StopIteration):
                    turn.send(None)

        virtually(main())

    @pytest.mark.parametrize("loop", [asyncio.new_event_loop, uvloop.new_event_loop])
    def test_rate_may_change_while_a_turn_is_due(self, loop: Callable[[], asyncio.AbstractEventLoop]) -> None:
        """uvloop has no timers for what is due at once, but handles that do not know when."""

        async def main() -> None:
            pace = Pace(0)
            pace.rate_per_s = 1e7
            governor = Governor(pace)
            governor.pause()
            waiter = asyncio.create_task(governor.acquire())
            await asyncio.sleep(0)
            governor.resume()
            pace.cap_per_s = 10
            await asyncio.wait_for(waiter, 5)

        with asyncio.Runner(loop_factory=loop) as runner:
            runner.run(main())


@pytest.mark.alone
class TestRealTime:
    @pytest.mark.parametrize("rate_per_s", [20.0, 200.0])
    def test_turns_are_even(self, rate_per_s: float) -> None:
        async def main() -> list[float]:
            pace, turns = Pace(rate_per_s), list[float]()
            for tick in range(100):  # through the short start of a high rate
                pace.answered(tick / 40, tick / 40)
            assert pace.rate_per_s == rate_per_s
            governor = Governor(pace)

            async def thread() -> None:
                while len(turns) <= 2 * rate_per_s:
                    await governor.acquire()
                    turns.append(time.monotonic())

            await asyncio.gather(*(thread() for _ in range(8)))
            return turns[: int(2 * rate_per_s) + 1]

        turns = asyncio.run(main())
        assert (len(turns) - 1) / (turns[-1] - turns[0]) == pytest.approx(rate_per_s, rel=0.02)
        assert all(
            later - first > 1 for first, later in zip(turns, turns[int(1.25 * rate_per_s) :], strict=False)
        )
