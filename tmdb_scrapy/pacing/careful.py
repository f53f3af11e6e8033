"""The phases towards a server whose refusals cost silence: a `Retry-After` of a second or more.

Hold just under what was proven, look up rarely, and learn from each refusal all that it tells.
"""

from __future__ import annotations

import math

from tmdb_scrapy.pacing.evidence import Evidence, proven_per_s, window_per_s
from tmdb_scrapy.pacing.history import History
from tmdb_scrapy.pacing.phases import (
    Phase,
    Refusal,
    Searching,
    Starting,
    Step,
    accelerating,
    fastest_growth_per_s,
)
from tmdb_scrapy.pacing.tuning import (
    CAREFUL_EVENT_S,
    CAREFUL_GROWTH_MOST_PER_S,
    CAREFUL_GROWTH_PER_S,
    CAREFUL_LOOK_UP_DOUBLES_S,
    CAREFUL_LOOK_UP_PER_S,
    CAREFUL_QUIET_S,
    CEILING_AFTER_S,
    CEILING_SERVED_SHARE,
    HELD_ENOUGH,
    LANDED_ABOVE_S,
    LANDED_ABOVE_SHARE,
    LANDING_DIVISOR_MOST,
    LANDING_SILENT_S,
    MARGIN_JITTER_MOST_SHARE,
    MARGIN_MOST_SHARE,
    MARGIN_PER_JITTER_S,
    MARGIN_PER_SILENT_S,
    MARGIN_SHARE,
    SOON_S,
)

NOT_ABOVE_SHARE = 0.95
"""Of the rate at which the start was refused, for a landing."""


class Careful(Phase):
    """What both phases share: since when it sends again, and what it has learnt."""

    def __init__(self, resumed_at: float, evidence: Evidence) -> None:
        super().__init__()
        self.resumed_at = resumed_at
        self.evidence = evidence

    def refused(self, refusal: Refusal) -> Step:
        lasted_s = refusal.sent_at - self.resumed_at
        if lasted_s < CAREFUL_EVENT_S and not refusal.silent_s:
            return Step(self, refusal.rate_per_s)
        sent = refusal.history.sent
        self.evidence.learn(sent, self.resumed_at, refusal.sent_at, too_soon=self._too_soon(lasted_s))
        window = window_per_s(sent, refusal.sent_at)
        if max(window, self.evidence.highest_per_s) < refusal.rate_per_s / 2:
            # Next to nothing gets through: where the limit is will have to be found again.
            return Step(CarefulSearching(refusal.goes_on_at, self.evidence), refusal.rate_per_s / 2)
        return self._learnt(refusal, min(window, refusal.refused_per_s), lasted_s)

    def _too_soon(self, lasted_s: float) -> bool:
        """Whether the rate was thought to hold."""
        return False

    def _learnt(self, refusal: Refusal, window: float, lasted_s: float) -> Step:
        raise NotImplementedError

    def _search_below(self, refusal: Refusal) -> Step:
        """The limit is well under this rate: a window of a second, or nearly, has refused it at once."""
        refused_per_s = refusal.refused_per_s
        lower = min(self.evidence.lowest_per_s, refused_per_s * LANDED_ABOVE_SHARE)
        searching = CarefulSearching(refusal.goes_on_at, self.evidence, refused_per_s)
        return Step(searching, max(lower, refused_per_s / 2))

    def _hold(self, refusal: Refusal, window: float, margin_share: float) -> Step:
        """Stay under the limit that the refusal tells."""
        high = low = window
        if (bucket_per_s := self.evidence.bucket_per_s) is not None:
            high = low = min(bucket_per_s, refusal.refused_per_s)
        elif refusal.sent_at - self.resumed_at >= LANDED_ABOVE_S:
            low = proven_per_s(refusal.history.sent, refusal.sent_at, window)
        holding = CarefulHolding(refusal.goes_on_at, self.evidence, margin_share, math.log(high / low))
        under = margin_share + MARGIN_PER_SILENT_S * max(0.0, refusal.silent_s - 1)
        if bucket_per_s is None:
            under += jitter_share(refusal.history)
        return Step(holding, low * (1 - under))


def jitter_share(history: History) -> float:
    """How far under a limit that counts exactly the jitter of arrivals makes one stay."""
    return min(MARGIN_PER_JITTER_S * history.jitter_s, MARGIN_JITTER_MOST_SHARE)


def beginning(phase: Phase) -> Phase:
    """The phase that follows on `phase` when the first refusal asks for silence."""
    if isinstance(phase, Starting):
        return CarefulStarting()
    if isinstance(phase, Searching):
        return CarefulSearching(phase.stepped_at, Evidence())
    return phase


def searching_again(phase: Phase) -> Phase:
    """The phase that follows on `phase` when what held it was not the server's limit, and is gone."""
    if isinstance(phase, Careful):
        return CarefulSearching(phase.resumed_at, phase.evidence)
    if isinstance(phase, Searching):
        return Searching(phase.stepped_at)
    return phase


class CarefulStarting(Starting):
    """The start, about to land."""

    def refused(self, refusal: Refusal) -> Step:
        """Lands where even a bucket of a second's worth would bear it, and searches from there.

        What was served until now is a ceiling for the search, if the server is one that counts seconds. It
        is not when much is served of what was on its way: that is the limit of a bucket.
        """
        history, refused_per_s = refusal.history, refusal.refused_per_s
        assert history.first_sent_at is not None  # set by the tick that every answer begins with
        evidence = Evidence()
        evidence.learn(history.sent, history.first_sent_at, refusal.sent_at, too_soon=False)
        landing = max(evidence.lowest_per_s, refused_per_s / LANDING_DIVISOR_MOST)
        rate_per_s = min(landing, refused_per_s * NOT_ABOVE_SHARE)
        resumed_at = max(refusal.goes_on_at, refusal.now + LANDING_SILENT_S)
        searching = CarefulSearching(resumed_at, evidence)
        if refusal.sent_at - history.first_sent_at >= CEILING_AFTER_S:
            # Of the first requests many are answered late or not in order: the more of the two counts.
            ceiling = max(window_per_s(history.sent, refusal.sent_at), float(history.served))
            on_the_way = ceiling * (refusal.now - refusal.sent_at)
            searching.expect(ceiling, refusal.sent_at, CEILING_SERVED_SHARE * on_the_way)
        return Step(searching, rate_per_s, LANDING_SILENT_S)


class CarefulSearching(Careful):
    """Climbing towards a limit that is known to be near, or to the ceiling that the start has shown."""

    def __init__(self, resumed_at: float, evidence: Evidence, ceiling_per_s: float = math.inf) -> None:
        super().__init__(resumed_at, evidence)
        self._ceiling_per_s = ceiling_per_s
        self._refused_at = math.inf
        self._may_be_served = 0.0

    def expect(self, ceiling_per_s: float, refused_at: float, may_be_served: float) -> None:
        """The ceiling, unless more than so many of those sent since `refused_at` are served all the same."""
        self._ceiling_per_s, self._refused_at, self._may_be_served = ceiling_per_s, refused_at, may_be_served

    def served_late(self, sent_at: float) -> None:
        if sent_at >= self._refused_at:
            self._may_be_served -= 1
            if self._may_be_served < 0:
                self._ceiling_per_s = math.inf

    def growth_per_s(self, rate_per_s: float, history: History) -> float:
        return min(CAREFUL_GROWTH_PER_S, fastest_growth_per_s(history))

    def grown(self, rate_per_s: float, history: History) -> Phase:
        if rate_per_s < self._ceiling_per_s * (1 - MARGIN_SHARE - jitter_share(history)):
            return self
        # To look up soon whether it was right would cost more than it is wrong by.
        return CarefulHolding(self.resumed_at, self.evidence, MARGIN_SHARE, 0.0)

    def _learnt(self, refusal: Refusal, window: float, lasted_s: float) -> Step:
        if lasted_s < LANDED_ABOVE_S:
            return self._search_below(refusal)
        return self._hold(refusal, window, MARGIN_SHARE)


class CarefulHolding(Careful):
    """Just under the limit. Climbs by `climb` (a logarithm) while it is quiet, then looks up ever faster."""

    def __init__(self, resumed_at: float, evidence: Evidence, margin_share: float, climb: float) -> None:
        super().__init__(resumed_at, evidence)
        self._margin_share = margin_share
        self._climb_per_s = climb / CAREFUL_QUIET_S
        self._at_once = False
        """Whether the rate is that after a refusal that came at once."""
        self._held_per_s = 0.0
        """The rate until the last look up began."""

    def growth_per_s(self, rate_per_s: float, history: History) -> float:
        over_s = self.quiet_s - CAREFUL_QUIET_S
        if over_s < 0:
            return self._climb_per_s
        growth_per_s = accelerating(CAREFUL_LOOK_UP_PER_S, over_s, CAREFUL_LOOK_UP_DOUBLES_S)
        return min(growth_per_s, CAREFUL_GROWTH_MOST_PER_S, fastest_growth_per_s(history))

    def grown(self, rate_per_s: float, history: History) -> Phase:
        if self.quiet_s <= CAREFUL_QUIET_S:
            self._held_per_s = rate_per_s
        return self

    def _too_soon(self, lasted_s: float) -> bool:
        return lasted_s < SOON_S

    def _learnt(self, refusal: Refusal, window: float, lasted_s: float) -> Step:
        if lasted_s < LANDED_ABOVE_S:
            return self._search_below(refusal) if self._at_once else self._a_little_less(refusal)
        if self._too_soon(lasted_s):
            return self._hold(refusal, window, min(2 * self._margin_share, MARGIN_MOST_SHARE))
        step = self._hold(refusal, window, max(self._margin_share / 2, MARGIN_SHARE))
        if lasted_s > CAREFUL_QUIET_S and step.rate_per_s < self._held_per_s * HELD_ENOUGH:
            # What was held for so long holds; a hair more would be worth less than the refusal it risks.
            return Step(step.phase, min(step.rate_per_s, self._held_per_s))
        return step

    def _a_little_less(self, refusal: Refusal) -> Step:
        """Once it may have been a hair's breadth: the next tells whether the limit fell."""
        margin_share = min(2 * self._margin_share, MARGIN_MOST_SHARE)
        holding = CarefulHolding(refusal.goes_on_at, self.evidence, margin_share, 0.0)
        holding._at_once = True
        return Step(holding, refusal.refused_per_s * (1 - margin_share - jitter_share(refusal.history)))
