"""How fast to send: finds a server's unpublished limit and stays just under it.

Pure policy without a clock: every `now` and `sent_at` is in monotonic seconds, every rate in requests a
second. `governor.Governor` turns the rate into turns.

The constants were chosen by simulation (tests/pacing/test_governor.py) against token buckets and
one-second windows of 20 to 100 requests a second, with round trips of 20 to 270 ms and one to four
senders:

- Doubling every 0.3 s is the slowest start that passes 3,000/s in 2 s, so the one that overshoots least.
  With long round trips, where answers come late and no crawler has the connections for such rates, it
  takes three of them.
- A start against a limit first uses up what the server lets through as a burst, so the rate served until
  then is above the limit. After a quarter of a second of silence, which a bucket gives back and in which
  a window would refuse, it goes on with `served / (elapsed + 0.6 s)`: near the limit of a bucket that
  held a second's worth, and of a window cut short. From there a search, slow at first, finds the limit
  itself.
- Around the limit, steps back of 2 % and a climb of 2 % in 8 s sit 1 to 2 % under it with one refusal in
  about 8 s. Larger steps leave more of the limit unused; smaller ones gain nothing against the jitter of
  arrivals.
- Where a refusal brings a `Retry-After` it costs that time in silence, so steps are larger, the climb is
  five times slower, and refusals in quick succession double the step (up to 12 %).
- 18 s of quiet, then a climb that doubles each second, finds a doubled limit in about 26 s and passes
  the old limit slowly if that still holds.
- Refusals less than a second apart are one event (a window refuses until it ends): only the first is a
  step, the later ones lower the rate to what is really served. A step for each of them fell to half the
  limit.
"""

from __future__ import annotations

import enum
import math
from collections import deque
from collections.abc import Callable
from typing import NamedTuple

# Growth is a share of the present rate, gained each second: 0.1 is 10 % a second.
START_PER_S = 40.0
START_DOUBLES_S = 0.3
START_DOUBLES_ROUND_TRIPS = 3
BURST_S = 0.6
LANDING_DIVISOR_MOST = 8
LANDING_SILENT_S = 0.25
SEARCH_GROWTH_PER_S = 0.1
SEARCH_GAIN = 0.05  # added to the growth for each second without a refusal
GROWTH_MOST_PER_S = 0.5  # after the start, and never more in a round trip than the next
GROWTH_MOST_PER_ROUND_TRIP = 0.15

STEP_BACK = 0.02
STEP_BACK_MOST = 0.25
STEP_AGAIN_S = 1.0
CYCLE_S = 8.0
# Silenced: a refusal brought a Retry-After.
STEP_BACK_SILENCED = 0.03
SOON_S = 5.0
STEP_BACK_SOON_MOST = 0.12
RECOVERY_PER_S = 0.5
CYCLE_SILENCED_S = 40.0
QUIET_S = 18.0
QUIET_DOUBLES_S = 1.0

SLOWEST_PER_S = 0.5
RETRY_AFTER_MOST_S = 300.0

IN_USE_IDLE_SHARE = 0.2
IDLE_MEMORY_S = 0.25
NUDGE_SHARE = 0.5
MEAN_FELL = 0.99

TICK_S = 0.02
HISTORY_S = 5.0
MEASURED_REQUESTS = 20


class Phase(enum.Enum):
    """What the rate is doing."""

    STARTING = "starting"
    """Doubling, until the first refusal or the cap."""
    SEARCHING = "searching"
    """Climbing fast towards a limit that is known to be near."""
    SETTLED = "settled"
    """Around the limit: small steps back, slow climbs."""


class _Slice(NamedTuple):
    """What happened between two ticks."""

    end: float
    active_s: float
    """Its length without the part in which we were silent until `resume_at`."""
    served: int
    rate_per_s: float
    """The rate at its end."""


class Pace:
    """The rate that one sender may use, adapted to the server's answers.

    `cap_per_s` is never exceeded; 0 means no cap of ours: find the server's limit. `sharers` is how many live
    senders share that limit (at least 1). Climbs are proportional to the rate, so the climb of all sharers
    together is that of a single sender; a refusal, however, reaches only one of them, so that one steps back
    for all: `sharers` times as far. `nudge` then spreads its loss over all.

    `idle_s` is written by the governor: seconds in which turns were on offer and nobody took them. A rate of
    which a fifth is not used is not raised: nothing shows that the server would bear it, and nobody needs it.
    """

    def __init__(self, cap_per_s: float, sharers: int = 1) -> None:
        self._cap_per_s = cap_per_s
        self._sharers = max(1, sharers)
        self.rate_per_s = 0.0
        self.resume_at = -math.inf
        """Nothing may be sent before this moment: a Retry-After, or the landing of the start."""
        self.idle_s = 0.0
        self.in_use = True
        """Whether this sender wants all of its rate. `nudge` should get the mean of those in use."""
        self.phase = Phase.STARTING
        self.on_change: Callable[[], None] | None = None
        """Called after each change of `rate_per_s` or `resume_at`: whoever keeps timers sets them anew."""

        self._first_sent_at: float | None = None
        self._served_before = 0
        self._served = 0
        self._history: deque[_Slice] = deque()
        self._ticked_at = 0.0
        self._next_tick = -math.inf
        self._round_trip_s = 0.0
        self._idle_share = 0.0
        self._silent_from = self._silent_until = -math.inf
        self._cut_at = -math.inf
        self._stepped_at = -math.inf
        self._step_back = STEP_BACK
        self._recover_to_per_s = 0.0
        self._quiet_s = 0.0
        self._silenced = False
        self._step_back_usual, self._cycle_s = STEP_BACK, CYCLE_S
        self._mean_per_s = 0.0
        self._set_rate(self._start_per_s())

    @property
    def cap_per_s(self) -> float:
        """Our own limit, in requests a second; 0 for none. May be changed at any time."""
        return self._cap_per_s

    @cap_per_s.setter
    def cap_per_s(self, cap_per_s: float) -> None:
        before, self._cap_per_s = self._cap_per_s, cap_per_s
        if self._first_sent_at is None:
            self._set_rate(self._start_per_s())
            return
        held_by_cap = before > 0 and self.rate_per_s >= before
        if held_by_cap and self.phase is Phase.SETTLED and not 0 < cap_per_s <= before:
            self.phase = Phase.SEARCHING
        self._set_rate(self.rate_per_s)

    @property
    def sharers(self) -> int:
        """How many live senders share the server's limit, this one included. May be changed at any time."""
        return self._sharers

    @sharers.setter
    def sharers(self, sharers: int) -> None:
        self._sharers = max(1, sharers)
        if self._first_sent_at is None:
            self._set_rate(self._start_per_s())

    def answered(self, now: float, sent_at: float) -> None:
        """A request sent at `sent_at` was served. Errors other than a refusal for pace count as served."""
        self._served += 1
        if now >= self._next_tick:
            self._tick(now, sent_at)
            if sent_at >= self._cut_at:
                self._grow()

    def throttled(self, now: float, sent_at: float, retry_after_s: float | None) -> None:
        """A request sent at `sent_at` was refused for pace: a 429, or a connection refused.

        Steps back at most once a round trip. Nothing is sent for the next `retry_after_s` seconds, whether or
        not this is a new step.
        """
        self._tick(now, sent_at)
        if retry_after_s is not None and retry_after_s > 0:
            self._fall_silent(now, min(retry_after_s, RETRY_AFTER_MOST_S))
            self._silenced = True
            self._step_back_usual, self._cycle_s = STEP_BACK_SILENCED, CYCLE_SILENCED_S
        self._quiet_s = 0.0
        if sent_at >= self._cut_at:
            rate_per_s = self._rate_after_refusal(now, sent_at)
            self._cut_at = now
            self._set_rate(rate_per_s)
        elif self.on_change is not None:
            self.on_change()

    def nudge(self, mean_rate_per_s: float) -> None:
        """Move part of the way to `mean_rate_per_s`, the mean of all sharers in use. Only without a cap.

        Meant to be called every two seconds or so. A mean that fell says that another sharer was refused:
        the limit is still where it was.
        """
        if self._cap_per_s > 0 or mean_rate_per_s <= 0:
            return
        if mean_rate_per_s < self._mean_per_s * MEAN_FELL:
            self._quiet_s = 0.0
        self._mean_per_s = mean_rate_per_s
        if self.in_use or mean_rate_per_s < self.rate_per_s:
            self._set_rate(self.rate_per_s + NUDGE_SHARE * (mean_rate_per_s - self.rate_per_s))

    def _start_per_s(self) -> float:
        if self._cap_per_s > 0:
            return max(START_PER_S, self._cap_per_s / 4)
        return START_PER_S / self._sharers

    def _set_rate(self, rate_per_s: float) -> None:
        rate_per_s = max(rate_per_s, SLOWEST_PER_S)
        if 0 < self._cap_per_s <= rate_per_s:
            rate_per_s = self._cap_per_s
            if self.phase is not Phase.SETTLED and self._first_sent_at is not None:
                self.phase = Phase.SETTLED
        self.rate_per_s = rate_per_s
        if self.on_change is not None:
            self.on_change()

    def _fall_silent(self, now: float, seconds: float) -> None:
        self.resume_at = max(self.resume_at, now + seconds)
        # Answers to what is in flight still come for a round trip, and then not for the same time longer.
        if self._silent_until < now:
            self._silent_from = now + self._round_trip_s
        self._silent_until = self.resume_at + self._round_trip_s

    def _tick(self, now: float, sent_at: float) -> None:
        """Close the present slice of the history."""
        round_trip_s = max(0.0, now - sent_at)
        if self._first_sent_at is None:
            self._first_sent_at = self._ticked_at = sent_at
            self._round_trip_s = round_trip_s
        self._round_trip_s += (round_trip_s - self._round_trip_s) / 8
        passed_s = max(0.0, now - self._ticked_at)
        silent_s = max(0.0, min(now, self._silent_until) - max(self._ticked_at, self._silent_from))
        active_s = passed_s - min(silent_s, passed_s)
        self._history.append(_Slice(now, active_s, self._served, self.rate_per_s))
        while self._history[0].end < now - HISTORY_S:
            self._history.popleft()
        self._served_before += self._served
        self._served = 0
        self._ticked_at = now
        self._next_tick = now + TICK_S
        if active_s > 0:
            idle_share = min(1.0, self.idle_s / active_s)
            self._idle_share += (idle_share - self._idle_share) * min(1.0, active_s / IDLE_MEMORY_S)
            self.in_use = self._idle_share < IN_USE_IDLE_SHARE
            self.idle_s = 0.0

    def _grow(self) -> None:
        """Raise the rate for the time of the last slice, if all of it was wanted."""
        if not self.in_use:
            return
        # A long gap between two answers is evidence of little: it counts as a quarter of a second, or as
        # the interval of a rate so low that gaps are normal.
        passed_s = min(self._history[-1].active_s, max(0.25, 2 / self.rate_per_s))
        self._quiet_s += passed_s
        self._set_rate(self.rate_per_s * math.exp(self._growth_per_s() * passed_s))

    def _growth_per_s(self) -> float:
        """The climb, as a share of the rate each second."""
        if self.phase is Phase.STARTING:
            return math.log(2) / max(START_DOUBLES_S, START_DOUBLES_ROUND_TRIPS * self._round_trip_s)
        fastest = min(GROWTH_MOST_PER_S, GROWTH_MOST_PER_ROUND_TRIP / max(self._round_trip_s, 0.001))
        if self.phase is Phase.SEARCHING:
            return min(SEARCH_GROWTH_PER_S + SEARCH_GAIN * self._quiet_s, fastest)
        over_s = min(max(0.0, self._quiet_s - QUIET_S), 60.0)
        climb = self._step_back_usual / self._cycle_s * math.exp2(over_s / QUIET_DOUBLES_S)
        recovery = RECOVERY_PER_S * (self._recover_to_per_s / self.rate_per_s - 1)
        return min(max(climb, recovery), fastest)

    def _rate_after_refusal(self, now: float, sent_at: float) -> float:
        usual_step = min(self._step_back_usual * self._sharers, STEP_BACK_MOST)
        refused_per_s = min(self.rate_per_s, self._rate_at(sent_at))
        since_step_s = now - self._stepped_at
        if self.phase is Phase.STARTING:
            self.phase = Phase.SEARCHING
            self._fall_silent(now, LANDING_SILENT_S)
            self._stepped_at = max(now, self.resume_at)
            assert self._first_sent_at is not None  # set by the tick that every answer begins with
            landing = self._served_before / (max(0.0, sent_at - self._first_sent_at) + BURST_S)
            return min(max(landing, refused_per_s / LANDING_DIVISOR_MOST), refused_per_s * (1 - usual_step))
        served_per_s = self._served_per_s()
        if served_per_s < self.rate_per_s / 2:
            # Next to nothing gets through: where the limit is will have to be found again.
            self.phase = Phase.SEARCHING
            self._stepped_at = max(now, self.resume_at)
            return self.rate_per_s / 2
        if since_step_s < STEP_AGAIN_S:
            return min(served_per_s, self.rate_per_s)
        if self.phase is Phase.SEARCHING:
            # The refusal comes late (a window refuses at its end), the measurement lags behind the climb.
            refused_per_s = min(refused_per_s, (refused_per_s + served_per_s) / 2)
        soon = self._silenced and self.phase is Phase.SETTLED and since_step_s < SOON_S
        doubled = min(2 * self._step_back, max(STEP_BACK_SOON_MOST, usual_step))
        self._step_back = doubled if soon else usual_step
        self.phase = Phase.SETTLED
        self._stepped_at = max(now, self.resume_at)
        self._recover_to_per_s = refused_per_s * (1 - 0.75 * self._step_back) if soon else 0.0
        return refused_per_s * (1 - self._step_back)

    def _rate_at(self, moment: float) -> float:
        """The rate at a moment of the last seconds."""
        for past in self._history:
            if past.end >= moment:
                return past.rate_per_s
        return self.rate_per_s

    def _served_per_s(self) -> float:
        """What the server let through in the last second, or the time of the last twenty requests.

        Infinite if too little happened lately to tell.
        """
        # Whole seconds, since a fixed window is likely to be one.
        wanted_s: float = min(math.ceil(MEASURED_REQUESTS / self.rate_per_s), HISTORY_S)
        served, active_s = 0, 0.0
        for past in reversed(self._history):
            if active_s + past.active_s > wanted_s:
                break
            served += past.served
            active_s += past.active_s
        if active_s < wanted_s / 2:
            return math.inf
        # One more than counted: quantisation must not look like a lower limit.
        return (served + 1) / active_s if served else 0.0
