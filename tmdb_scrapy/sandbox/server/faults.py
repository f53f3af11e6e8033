"""Which request meets which fault: a function of the seed, the ID and how often that ID was asked for."""

from __future__ import annotations

from collections.abc import Mapping

from tmdb_scrapy.sandbox.catalogue.draws import mix, unit

FAULTS = (
    "429",
    "500",
    "502",
    "503",
    "504",
    "reset",
    "truncate",
    "malformed",
    "html",
    "slow",
    "hang",
    "code25",
)
"""A status; or: connection reset, body cut short, broken JSON, an HTML page, ten times the latency, no answer
for a minute, and a rate limit error with status 200."""

POISON = "poison"

_KIND_NUMBER: dict[str, int] = {"movies": 1, "people": 2}
_COUNTED_IDS = 1 << 26
"""Attempts are counted in one byte an ID; larger IDs than TMDb will have for decades share the last one."""


class FaultPlan:
    """Chooses faults. A retry is another attempt with another draw, so it can succeed."""

    def __init__(self, seed: int, shares: Mapping[str, float], poison: frozenset[int] = frozenset()) -> None:
        self._seed = seed
        self.configure(shares, poison)
        self._attempts: dict[str, bytearray] = {"movies": bytearray(), "people": bytearray()}

    def configure(self, shares: Mapping[str, float], poison: frozenset[int]) -> None:
        self._poison = poison
        self._thresholds: list[tuple[float, str]] = []
        total = 0.0
        for fault, share in shares.items():
            if share > 0:
                total += share
                self._thresholds.append((total, fault))

    def choose(self, kind: str, record_id: int) -> str | None:
        """Count an attempt at the ID and return its fault, if any."""
        if record_id in self._poison:
            return POISON
        if not self._thresholds:
            return None
        chance = unit(mix(self._seed, _KIND_NUMBER[kind], record_id, self._attempt(kind, record_id)))
        return next((fault for threshold, fault in self._thresholds if chance < threshold), None)

    def variant(self, record_id: int) -> int:
        """0 or 1, for faults that come in two forms."""
        return mix(self._seed, record_id) & 1

    def _attempt(self, kind: str, record_id: int) -> int:
        counts = self._attempts[kind]
        slot = min(record_id, _COUNTED_IDS)
        if slot >= len(counts):
            counts.extend(bytes(slot + 65_536 - len(counts)))
        attempt = counts[slot]
        counts[slot] = min(255, attempt + 1)
        return attempt
