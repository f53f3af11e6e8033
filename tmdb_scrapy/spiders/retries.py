"""How often an ID is asked for again, and after how long."""

from __future__ import annotations

import random

from tmdb_scrapy.pacing.breaker import Breaker
from tmdb_scrapy.queue.feed import Claim

FIRST_BACKOFF_S = 0.5
LONGEST_BACKOFF_S = 60.0
HOPELESS = 100
"""So many IDs given up one after another, and none that came to anything between: the fault is not theirs."""


class Retries:
    """Exponential backoff with jitter. An ID is given up after `most` failed attempts in a time when the API
    served others: `breaker` tells such times apart."""

    def __init__(self, most: int, breaker: Breaker) -> None:
        self._most = most
        self._breaker = breaker
        self._given_up_in_a_row = 0

    def came(self) -> None:
        """An ID came to something: TMDb serves records of this kind."""
        self._given_up_in_a_row = 0

    def given_up(self) -> bool:
        """Count an ID that was given up; returns whether that is hopeless."""
        self._given_up_in_a_row += 1
        return self._given_up_in_a_row >= HOPELESS

    def delay_s(self, claim: Claim, chargeable: bool) -> float | None:
        """Count a failed attempt, against the ID if it is `chargeable`.

        Returns the seconds until the next one; None when there is to be none.
        """
        if claim.generation != self._breaker.generation:
            claim.generation, claim.attempts = self._breaker.generation, 0
        if chargeable:
            claim.attempts += 1
        # While the breaker is open nobody knows whose fault this was: ask once more when it is shut.
        if claim.attempts > self._most and not self._breaker.is_open:
            return None
        backoff_s: float = min(FIRST_BACKOFF_S * 2**claim.attempts, LONGEST_BACKOFF_S)
        return random.uniform(0.5, 1.0) * backoff_s

    def is_last(self, claim: Claim) -> bool:
        """Whether another failed attempt would be one too many."""
        return claim.attempts >= self._most
