"""Servers with limits, and a crawl against one of them: no clock, no event loop, dice with seeds.

A simulated request takes half of a random round trip to the server, which decides when it arrives, and half
back. Five minutes of a crawl take a tenth of a second.
"""

from __future__ import annotations

import dataclasses
import heapq
import itertools
import math
import random
from collections import deque
from collections.abc import Callable
from typing import Protocol

from tmdb_scrapy.pacing.pace import Pace

HEARTBEAT_S = 2.0


class Server(Protocol):
    """Decides whether a request that arrives now is within the limit."""

    limit_per_s: float

    def allows(self, now: float) -> bool: ...


class Bucket:
    """A token bucket."""

    def __init__(self, limit_per_s: float, burst: float) -> None:
        self.limit_per_s = limit_per_s
        self.burst = self._tokens = burst
        self._at = 0.0

    def allows(self, now: float) -> bool:
        self._tokens = min(self.burst, self._tokens + (now - self._at) * self.limit_per_s)
        self._at = now
        allowed = self._tokens >= 1
        self._tokens -= allowed
        return allowed


class Window:
    """So many requests in each second of the clock, which begins `phase` seconds before the sender."""

    def __init__(self, limit_per_s: float, phase: float = 0.0) -> None:
        self.limit_per_s = limit_per_s
        self._phase, self._second, self._count = phase, -1, 0

    def allows(self, now: float) -> bool:
        second = math.floor(now + self._phase)
        if second != self._second:
            self._second, self._count = second, 0
        self._count += 1
        return self._count <= self.limit_per_s


class SlidingWindow:
    """So many requests in the last second, counted exactly."""

    def __init__(self, limit_per_s: float) -> None:
        self.limit_per_s = limit_per_s
        self._served: deque[float] = deque()

    def allows(self, now: float) -> bool:
        while self._served and self._served[0] <= now - 1:
            self._served.popleft()
        allowed = len(self._served) < self.limit_per_s
        if allowed:
            self._served.append(now)
        return allowed


@dataclasses.dataclass
class Run:
    """What arrived at the server: seconds since the start, sender, allowed or not; and the paces."""

    arrivals: list[tuple[float, int, bool]] = dataclasses.field(default_factory=list)
    paces: list[Pace] = dataclasses.field(default_factory=list)

    def served_per_s(self, begin: float, end: float, sender: int | None = None) -> float:
        served = sum(ok for at, by, ok in self.arrivals if begin <= at < end and sender in (None, by))
        return served / (end - begin)

    def refused_share(self, begin: float, end: float) -> float:
        answers = [ok for at, _, ok in self.arrivals if begin <= at < end]
        return answers.count(False) / len(answers)


class Crawl:
    """Senders with so many threads each, which send whenever their pace lets them."""

    def __init__(
        self,
        server: Server,
        *,
        round_trip_s: tuple[float, float],
        threads: int,
        senders: int = 1,
        retry_after_s: float | None = None,
        changes: tuple[tuple[float, float], ...] = (),
        seed: int = 1,
    ) -> None:
        self.run = Run(paces=[Pace(0, senders) for _ in range(senders)])
        self._server, self._retry_after_s = server, retry_after_s
        self._shortest_s, self._longest_s = round_trip_s[0] / 2, round_trip_s[1] / 2
        self._dice = [random.Random(100 * seed + sender) for sender in range(senders)]
        self._last_turn = [-1 / pace.rate_per_s for pace in self.run.paces]
        self._free = [threads // senders] * senders
        self._turn = [0] * senders
        """Which turn of a sender is the one it waits for; those before were set anew."""
        self._order = itertools.count()
        self._events: list[tuple[float, int, Callable[[], None]]] = []
        self._now = 0.0
        for sender, pace in enumerate(self.run.paces):
            pace.on_change = lambda sender=sender: self._await_turn(sender)
            self._await_turn(sender)
            if senders > 1:
                self._at(self._dice[sender].uniform(0, HEARTBEAT_S), lambda pace=pace: self._beat(pace))
        for moment, limit_per_s in changes:
            self._at(moment, lambda limit_per_s=limit_per_s: setattr(server, "limit_per_s", limit_per_s))

    def for_s(self, seconds: float) -> Run:
        """What so many seconds bring."""
        while self._events and self._events[0][0] < seconds:
            self._now, _, happens = heapq.heappop(self._events)
            happens()
        return self.run

    def _at(self, moment: float, happens: Callable[[], None]) -> None:
        heapq.heappush(self._events, (moment, next(self._order), happens))

    def _beat(self, pace: Pace) -> None:
        rates = [other.rate_per_s for other in self.run.paces]
        pace.nudge(sum(rates) / len(rates))
        self._at(self._now + HEARTBEAT_S, lambda: self._beat(pace))

    def _await_turn(self, sender: int) -> None:
        if not self._free[sender]:
            return
        pace = self.run.paces[sender]
        self._turn[sender] = turn = self._turn[sender] + 1
        moment = max(self._last_turn[sender] + 1 / pace.rate_per_s, pace.resume_at, self._now)
        self._at(moment, lambda: self._send(sender, turn))

    def _send(self, sender: int, turn: int) -> None:
        if turn != self._turn[sender] or not self._free[sender]:
            return
        pace = self.run.paces[sender]
        interval_s = 1 / pace.rate_per_s
        due = max(self._last_turn[sender] + interval_s, pace.resume_at)
        # What comes later than this was wanted by nobody: no thread was free.
        lost_s = self._now - due - min(max(interval_s, 0.02), 0.05)
        if lost_s > 0:
            pace.idle_s += lost_s
            due += lost_s
        self._last_turn[sender] = due
        self._free[sender] -= 1
        sent_at = self._now
        self._at(self._now + self._way_s(sender), lambda: self._arrive(sender, sent_at))
        self._await_turn(sender)

    def _arrive(self, sender: int, sent_at: float) -> None:
        allowed = self._server.allows(self._now)
        self.run.arrivals.append((self._now, sender, allowed))
        self._at(self._now + self._way_s(sender), lambda: self._hear(sender, sent_at, allowed))

    def _hear(self, sender: int, sent_at: float, allowed: bool) -> None:
        pace = self.run.paces[sender]
        self._free[sender] += 1
        if allowed:
            pace.answered(self._now, sent_at)
        else:
            pace.throttled(self._now, sent_at, self._retry_after_s)
        if self._free[sender] == 1:
            self._await_turn(sender)

    def _way_s(self, sender: int) -> float:
        return self._dice[sender].uniform(self._shortest_s, self._longest_s)
