"""What a pace has measured: round trips, what was sent and served, how much of the rate was wanted."""

from __future__ import annotations

import math
from bisect import bisect_left
from collections import deque
from typing import NamedTuple

from tmdb_scrapy.pacing.tuning import (
    HISTORY_S,
    IDLE_MEMORY_S,
    IN_USE_IDLE_SHARE,
    MEASURED_REQUESTS,
    SENT_REMEMBERED_S,
    TICK_S,
)


class _Slice(NamedTuple):
    """What happened between two ticks."""

    end: float
    active_s: float
    """Its length without the part in which we were silent."""
    served: int
    rate_per_s: float
    """The rate at its end."""


class Sent:
    """How many requests had been sent by when, as the rate allowed and somebody wanted them."""

    def __init__(self) -> None:
        self._moments: list[float] = []
        self._totals: list[float] = []

    def begin(self, moment: float) -> None:
        self._moments.append(moment)
        self._totals.append(0.0)

    def advance(self, now: float, rate_per_s: float, silent_until: float, idle_s: float) -> None:
        """Until now, or from the end of a silence until now, so many a second were sent."""
        moment, total = self._moments[-1], self._totals[-1]
        if now <= moment:
            return
        began = max(moment, min(silent_until, now))
        if moment < began < now:
            self._append(began, total)
        self._append(now, total + rate_per_s * max(0.0, now - began - idle_s))
        if self._moments[0] < now - 2 * SENT_REMEMBERED_S:
            old = bisect_left(self._moments, now - SENT_REMEMBERED_S)
            del self._moments[:old], self._totals[:old]

    def _append(self, moment: float, total: float) -> None:
        self._moments.append(moment)
        self._totals.append(total)

    def between(self, start: float, end: float) -> float:
        """How many were sent from `start` to `end`."""
        return self._total_at(end) - self._total_at(start)

    def _total_at(self, moment: float) -> float:
        after = bisect_left(self._moments, moment)
        if after == 0:
            return self._totals[0]
        if after == len(self._moments):
            return self._totals[-1]
        earlier, later = self._moments[after - 1], self._moments[after]
        share = (moment - earlier) / (later - earlier)
        return self._totals[after - 1] + share * (self._totals[after] - self._totals[after - 1])


class History:
    """Fed by each answer that comes a tick after the last. Times are in seconds of the pace's clock."""

    def __init__(self) -> None:
        self.first_sent_at: float | None = None
        self.round_trip_s = 0.0
        self.jitter_s = 0.0
        """Mean deviation of the round trips."""
        self.in_use = True
        """Whether this sender wants all of its rate."""
        self.served = 0
        """All requests served until the last tick."""
        self.sent = Sent()
        self.next_tick = -math.inf
        self._served = 0
        self._slices: deque[_Slice] = deque()
        self._ticked_at = 0.0
        self._idle_share = 0.0
        self._silent_from = self._silent_until = -math.inf
        self._sending_again_at = -math.inf

    def count(self) -> None:
        """One more was served."""
        self._served += 1

    def silence(self, now: float, until: float) -> None:
        """Nothing is sent from now on until then."""
        # Answers to what is in flight still come for a round trip, and then not for the same time longer.
        if self._silent_until < now:
            self._silent_from = now + self.round_trip_s
        self._silent_until = until + self.round_trip_s
        self._sending_again_at = until

    def tick(self, now: float, sent_at: float, rate_per_s: float, idle_s: float) -> bool:
        """Close the present slice. Returns whether `idle_s`, time that nobody wanted, is accounted for."""
        self._measure_round_trip(now, sent_at)
        passed_s = max(0.0, now - self._ticked_at)
        silent_s = max(0.0, min(now, self._silent_until) - max(self._ticked_at, self._silent_from))
        active_s = passed_s - min(silent_s, passed_s)
        self.sent.advance(now, rate_per_s, self._sending_again_at, idle_s)
        self._slices.append(_Slice(now, active_s, self._served, rate_per_s))
        while self._slices[0].end < now - HISTORY_S:
            self._slices.popleft()
        self.served += self._served
        self._served = 0
        self._ticked_at = now
        self.next_tick = now + TICK_S
        if active_s <= 0:
            return False
        idle_share = min(1.0, idle_s / active_s)
        self._idle_share += (idle_share - self._idle_share) * min(1.0, active_s / IDLE_MEMORY_S)
        self.in_use = self._idle_share < IN_USE_IDLE_SHARE
        return True

    def _measure_round_trip(self, now: float, sent_at: float) -> None:
        round_trip_s = max(0.0, now - sent_at)
        if self.first_sent_at is None:
            self.first_sent_at = self._ticked_at = sent_at
            self.round_trip_s = round_trip_s
            self.sent.begin(sent_at)
        deviation_s = round_trip_s - self.round_trip_s
        self.round_trip_s += deviation_s / 8
        self.jitter_s += (abs(deviation_s) - self.jitter_s) / 32

    @property
    def last_active_s(self) -> float:
        """How long of the last slice we were not silent."""
        return self._slices[-1].active_s

    def rate_at(self, moment: float, rate_per_s: float) -> float:
        """The rate at a moment of the last seconds; `rate_per_s` is the present one."""
        for past in self._slices:
            if past.end >= moment:
                return past.rate_per_s
        return rate_per_s

    def served_per_s(self, rate_per_s: float) -> float:
        """What the server let through in the last second, or the time of the last twenty requests.

        Infinite if too little happened lately to tell.
        """
        # Whole seconds, since a fixed window is likely to be one.
        wanted_s: float = min(math.ceil(MEASURED_REQUESTS / rate_per_s), HISTORY_S)
        served, active_s = 0, 0.0
        for past in reversed(self._slices):
            if active_s + past.active_s > wanted_s:
                break
            served += past.served
            active_s += past.active_s
        if active_s < wanted_s / 2:
            return math.inf
        # One more than counted: quantisation must not look like a lower limit.
        return (served + 1) / active_s if served else 0.0
