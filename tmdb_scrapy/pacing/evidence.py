"""What refusals tell of a server's limit, by how many requests had been sent until each."""

from __future__ import annotations

import math

from tmdb_scrapy.pacing.history import Sent
from tmdb_scrapy.pacing.tuning import (
    BURST_AGREES_SHARE,
    BURST_AGREES_TIMES,
    BURST_LASTS_S,
    BURSTS_S,
    PROVEN_LEAST_SHARE,
    SPANS_S,
)

LEAST_PER_S = 0.1
"""Below this an estimate is as good as nothing, and has no logarithm."""


def window_per_s(sent: Sent, refused_at: float) -> float:
    """The limit if the server counts a second: what was sent in the last one."""
    return sent.between(refused_at - 1.0, refused_at)


def proven_per_s(sent: Sent, refused_at: float, limit_per_s: float) -> float:
    """What surely was within a limit of seconds: the second before the last, when nothing was refused."""
    before = sent.between(refused_at - 2.0, refused_at - 1.0)
    return min(limit_per_s, max(before, limit_per_s * PROVEN_LEAST_SHARE))


def bucket_per_s(sent: Sent, resumed_at: float, refused_at: float, burst_s: float) -> float:
    """The limit if the server has a token bucket that holds `burst_s` seconds' worth of it.

    Whenever it was full, the requests since then used up what it held and what it gained: of all moments
    since `resumed_at`, the one that gives the highest limit is that at which it was full last.
    """
    longest_s = refused_at - resumed_at
    spans = [span for span in SPANS_S if span < longest_s]
    return max(sent.between(refused_at - span, refused_at) / (span + burst_s) for span in (*spans, longest_s))


class Evidence:
    """Finds which burst explains one refusal like the other.

    A server that counts seconds and one with a deep bucket refuse for different reasons, and the limit that
    follows from a refusal differs by up to half. The right burst gives the same limit each time. A burst is
    believed only after three refusals that agree, since a limit taken for too low costs much more than
    another refusal.
    """

    def __init__(self) -> None:
        self._estimates: tuple[float, ...] = ()
        self._agreed = [0] * len(BURSTS_S)
        self._burst: int | None = None

    def learn(self, sent: Sent, resumed_at: float, refused_at: float, *, too_soon: bool) -> None:
        """A request sent at `refused_at` was refused. `too_soon`: at a rate that was thought to hold."""
        estimates = tuple(bucket_per_s(sent, resumed_at, refused_at, burst_s) for burst_s in BURSTS_S)
        differences = [
            abs(math.log(max(now, LEAST_PER_S) / max(before, LEAST_PER_S)))
            for now, before in zip(estimates, self._estimates, strict=True)
        ] if self._estimates else [math.inf] * len(estimates)  # fmt: skip
        lasted = refused_at - resumed_at > BURST_LASTS_S
        for burst, difference in enumerate(differences):
            agrees = lasted and difference < BURST_AGREES_SHARE
            self._agreed[burst] = self._agreed[burst] + 1 if agrees else 0
        self._estimates = estimates
        if self._burst is not None and not self._agreed[self._burst]:
            self._burst = None
        if self._burst is None and too_soon and lasted:
            believed = [burst for burst, times in enumerate(self._agreed) if times >= BURST_AGREES_TIMES]
            self._burst = min(believed, key=differences.__getitem__, default=None)

    @property
    def lowest_per_s(self) -> float:
        """The limit by the deepest bucket."""
        return self._estimates[-1]

    @property
    def highest_per_s(self) -> float:
        """The limit by the shallowest bucket."""
        return self._estimates[0]

    @property
    def bucket_per_s(self) -> float | None:
        """The limit of the bucket that is believed in; None for none."""
        return None if self._burst is None else self._estimates[self._burst]
