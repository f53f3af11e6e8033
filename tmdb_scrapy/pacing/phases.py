"""What the rate is doing, one small class each: how fast it grows, and what follows a refusal.

These are the phases towards a server whose refusals cost nothing but themselves; `careful.py` has those for
one that asks for silence.
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import NamedTuple

from tmdb_scrapy.pacing.history import History
from tmdb_scrapy.pacing.tuning import (
    BURST_S,
    CYCLE_S,
    GROWTH_MOST_PER_ROUND_TRIP,
    GROWTH_MOST_PER_S,
    LANDING_DIVISOR_MOST,
    LANDING_SILENT_S,
    QUIET_DOUBLES_S,
    QUIET_S,
    SEARCH_GAIN_PER_S,
    SEARCH_GROWTH_PER_S,
    START_DOUBLES_ROUND_TRIPS,
    START_DOUBLES_S,
    STEP_AGAIN_S,
    STEP_BACK_MOST_SHARE,
    STEP_BACK_SHARE,
)

ACCELERATES_FOR_S = 60.0
"""A climb after a long quiet grows faster for so long; by then its growth is long at its most."""


@dataclass(frozen=True)
class Refusal:
    """A request that was refused for pace."""

    now: float
    sent_at: float
    rate_per_s: float
    """The present rate."""
    silent_s: float
    """How long the server wants silence; 0 when it does not say."""
    resume_at: float
    """When the next request may go."""
    sharers: int
    history: History

    @property
    def refused_per_s(self) -> float:
        """The rate at which the refused request was sent."""
        return min(self.rate_per_s, self.history.rate_at(self.sent_at, self.rate_per_s))

    @property
    def step_back_share(self) -> float:
        """The usual step: it reaches one of the sharers only, which steps back for all."""
        return min(STEP_BACK_SHARE * self.sharers, STEP_BACK_MOST_SHARE)

    @property
    def goes_on_at(self) -> float:
        return max(self.now, self.resume_at)


class Step(NamedTuple):
    """What follows a refusal."""

    phase: Phase
    rate_per_s: float
    silent_s: float = 0.0
    """Seconds of silence of our own accord."""


class Phase(ABC):
    """A way to move the rate. `quiet_s` is how long, in use, nothing was refused."""

    def __init__(self) -> None:
        self.quiet_s = 0.0

    @abstractmethod
    def growth_per_s(self, rate_per_s: float, history: History) -> float:
        """The climb, as a share of the rate each second."""

    @abstractmethod
    def refused(self, refusal: Refusal) -> Step:
        """What to do now."""

    def grown(self, rate_per_s: float, history: History) -> Phase:
        """The phase that follows on a climb to `rate_per_s`."""
        return self

    def served_late(self, sent_at: float) -> None:  # noqa: B027  # most phases do not care
        """A request sent before the last step was served after it."""


def fastest_growth_per_s(history: History) -> float:
    """The most that a round trip without news allows."""
    return min(GROWTH_MOST_PER_S, GROWTH_MOST_PER_ROUND_TRIP / max(history.round_trip_s, 0.001))


def accelerating(growth_per_s: float, over_s: float, doubles_s: float) -> float:
    """A climb that has doubled every `doubles_s` for `over_s` seconds."""
    return growth_per_s * math.exp2(min(max(0.0, over_s), ACCELERATES_FOR_S) / doubles_s)


class Starting(Phase):
    """Doubling, until the first refusal or the cap."""

    def growth_per_s(self, rate_per_s: float, history: History) -> float:
        return math.log(2) / max(START_DOUBLES_S, START_DOUBLES_ROUND_TRIPS * history.round_trip_s)

    def refused(self, refusal: Refusal) -> Step:
        """Lands near what was served. That was above the limit: the burst that a server allows went too."""
        history, refused_per_s = refusal.history, refusal.refused_per_s
        assert history.first_sent_at is not None  # set by the tick that every answer begins with
        elapsed_s = max(0.0, refusal.sent_at - history.first_sent_at)
        landing = max(history.served / (elapsed_s + BURST_S), refused_per_s / LANDING_DIVISOR_MOST)
        rate_per_s = min(landing, refused_per_s * (1 - refusal.step_back_share))
        stepped_at = max(refusal.goes_on_at, refusal.now + LANDING_SILENT_S)
        return Step(Searching(stepped_at), rate_per_s, LANDING_SILENT_S)


class Searching(Phase):
    """Climbing fast towards a limit that is known to be near."""

    def __init__(self, stepped_at: float) -> None:
        super().__init__()
        self.stepped_at = stepped_at

    def growth_per_s(self, rate_per_s: float, history: History) -> float:
        growth_per_s = SEARCH_GROWTH_PER_S + SEARCH_GAIN_PER_S * self.quiet_s
        return min(growth_per_s, fastest_growth_per_s(history))

    def refused(self, refusal: Refusal) -> Step:
        served_per_s = refusal.history.served_per_s(refusal.rate_per_s)
        if served_per_s < refusal.rate_per_s / 2:
            # Next to nothing gets through: where the limit is will have to be found again.
            return Step(Searching(refusal.goes_on_at), refusal.rate_per_s / 2)
        if refusal.now - self.stepped_at < STEP_AGAIN_S:
            # One event. A step for each of its refusals fell to half the limit.
            return Step(self, min(served_per_s, refusal.rate_per_s))
        limit_per_s = self._limit_per_s(refusal.refused_per_s, served_per_s)
        return Step(Holding(refusal.goes_on_at), limit_per_s * (1 - refusal.step_back_share))

    def _limit_per_s(self, refused_per_s: float, served_per_s: float) -> float:
        # The refusal comes late (a window refuses at its end), the measurement lags behind the climb.
        return min(refused_per_s, (refused_per_s + served_per_s) / 2)


class Holding(Searching):
    """Around the limit: small steps back, slow climbs."""

    def growth_per_s(self, rate_per_s: float, history: History) -> float:
        climb = accelerating(STEP_BACK_SHARE / CYCLE_S, self.quiet_s - QUIET_S, QUIET_DOUBLES_S)
        return min(climb, fastest_growth_per_s(history))

    def _limit_per_s(self, refused_per_s: float, served_per_s: float) -> float:
        return refused_per_s
