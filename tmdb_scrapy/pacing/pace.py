"""How fast to send: finds a server's unpublished limit and stays just under it.

Pure policy without a clock: every `now` and `sent_at` is in monotonic seconds, every rate in requests a
second. `governor.Governor` turns the rate into turns. `history.History` measures, the phases decide
(`phases.py`; `careful.py` where a refusal costs silence), `tuning.py` has the numbers.
"""

from __future__ import annotations

import math
from collections.abc import Callable

from tmdb_scrapy.pacing.careful import beginning, searching_again
from tmdb_scrapy.pacing.history import History
from tmdb_scrapy.pacing.phases import Holding, Phase, Refusal, Searching, Starting
from tmdb_scrapy.pacing.tuning import (
    MEAN_FELL_SHARE,
    NUDGE_SHARE,
    RETRY_AFTER_MOST_S,
    SLOWEST_PER_S,
    START_PER_S,
)


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
        self.phase: Phase = Starting()
        self.on_change: Callable[[], None] | None = None
        """Called after each change of `rate_per_s` or `resume_at`: whoever keeps timers sets them anew."""
        self._history = History()
        self._cut_at = -math.inf
        self._mean_per_s = 0.0
        self._set_rate(self._start_per_s())

    @property
    def in_use(self) -> bool:
        """Whether this sender wants all of its rate. `nudge` should get the mean of those in use."""
        return self._history.in_use

    @property
    def cap_per_s(self) -> float:
        """Our own limit, in requests a second; 0 for none. May be changed at any time."""
        return self._cap_per_s

    @cap_per_s.setter
    def cap_per_s(self, cap_per_s: float) -> None:
        before, self._cap_per_s = self._cap_per_s, cap_per_s
        if not self._started:
            self._set_rate(self._start_per_s())
            return
        held_by_cap = before > 0 and self.rate_per_s >= before
        if held_by_cap and not 0 < cap_per_s <= before:
            self._enter(searching_again(self.phase))
        self._set_rate(self.rate_per_s)

    @property
    def sharers(self) -> int:
        """How many live senders share the server's limit, this one included. May be changed at any time."""
        return self._sharers

    @sharers.setter
    def sharers(self, sharers: int) -> None:
        self._sharers = max(1, sharers)
        if not self._started:
            self._set_rate(self._start_per_s())

    @property
    def _started(self) -> bool:
        return self._history.first_sent_at is not None

    def answered(self, now: float, sent_at: float) -> None:
        """A request sent at `sent_at` was served. Errors other than a refusal for pace count as served."""
        self._history.count()
        if sent_at < self._cut_at:
            self.phase.served_late(sent_at)
        if now >= self._history.next_tick:
            self._tick(now, sent_at)
            if sent_at >= self._cut_at:
                self._grow()

    def throttled(self, now: float, sent_at: float, retry_after_s: float | None) -> None:
        """A request sent at `sent_at` was refused for pace: a 429, or a connection refused.

        Steps back at most once a round trip. Nothing is sent for the next `retry_after_s` seconds, whether or
        not this is a new step.
        """
        self._tick(now, sent_at)
        silent_s = min(max(0.0, retry_after_s or 0.0), RETRY_AFTER_MOST_S)
        if silent_s:
            self._fall_silent(now, silent_s)
            self._enter(beginning(self.phase))
        self.phase.quiet_s = 0.0
        if sent_at >= self._cut_at:
            self._step_back(now, sent_at, silent_s)
        elif self.on_change is not None:
            self.on_change()

    def nudge(self, mean_rate_per_s: float) -> None:
        """Move part of the way to `mean_rate_per_s`, the mean of all sharers in use. Only without a cap.

        Meant to be called every two seconds or so. A mean that fell says that another sharer was refused:
        the limit is still where it was.
        """
        if self._cap_per_s > 0 or mean_rate_per_s <= 0:
            return
        if mean_rate_per_s < self._mean_per_s * MEAN_FELL_SHARE:
            self.phase.quiet_s = 0.0
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
            if self._started and isinstance(self.phase, Starting):
                self._enter(Holding(-math.inf))
            elif type(self.phase) is Searching:
                self._enter(Holding(self.phase.stepped_at))
        self.rate_per_s = rate_per_s
        if self.on_change is not None:
            self.on_change()

    def _enter(self, phase: Phase) -> None:
        """Go on in another phase, as quiet as before."""
        phase.quiet_s = self.phase.quiet_s
        self.phase = phase

    def _fall_silent(self, now: float, seconds: float) -> None:
        self.resume_at = max(self.resume_at, now + seconds)
        self._history.silence(now, self.resume_at)

    def _tick(self, now: float, sent_at: float) -> None:
        if self._history.tick(now, sent_at, self.rate_per_s, self.idle_s):
            self.idle_s = 0.0

    def _grow(self) -> None:
        """Raise the rate for the time of the last slice, if all of it was wanted."""
        if not self.in_use:
            return
        # A long gap between two answers is evidence of little: it counts as a quarter of a second, or as
        # the interval of a rate so low that gaps are normal.
        passed_s = min(self._history.last_active_s, max(0.25, 2 / self.rate_per_s))
        self.phase.quiet_s += passed_s
        growth_per_s = self.phase.growth_per_s(self.rate_per_s, self._history)
        self._set_rate(self.rate_per_s * math.exp(growth_per_s * passed_s))
        self.phase = self.phase.grown(self.rate_per_s, self._history)

    def _step_back(self, now: float, sent_at: float, silent_s: float) -> None:
        refusal = Refusal(
            now, sent_at, self.rate_per_s, silent_s, self.resume_at, self._sharers, self._history
        )
        step = self.phase.refused(refusal)
        if step.silent_s:
            self._fall_silent(now, step.silent_s)
        self.phase = step.phase
        self._cut_at = now
        self._set_rate(step.rate_per_s)
