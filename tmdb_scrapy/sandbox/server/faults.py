"""Which request meets which fault: a function of the seed, the ID and how often that ID was asked for."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from tmdb_scrapy.kinds import KINDS
from tmdb_scrapy.sandbox.catalogue.draws import mix, salt, unit

FAULTS = {
    "429": "a rate limit",
    "500": "an internal error",
    "502": "no backend server",
    "503": "offline",
    "504": "a backend server that is too slow",
    "code25": "a rate limit with status 200",
    "reset": "the connection is reset",
    "truncate": "the body is cut short",
    "malformed": "broken JSON",
    "slow": "ten times the latency",
    "hang": "no response for a minute",
    "html": "an HTML page with status 200",
    "blocked": "an HTML page with status 403",
    "cloudfront": "CloudFront's XML with status 403",
    "portal": "a redirect to a page where one has to log in",
    "bom": "a byte order mark before the JSON",
    "x-gzip": "gzip under its old name",
    "GZIP": "gzip in capitals",
    "two-members": "a gzip body in two members",
}
"""What each fault sends."""

POISON = "poison"
_NUMBER = {name: number for number, name in enumerate(KINDS, 1)}
_COUNTED_IDS = 1 << 26
"""Attempts are counted in one byte an ID; larger IDs than TMDb will have for decades share the last one."""


@dataclass(frozen=True, slots=True)
class Fate:
    """What one request for a record meets."""

    fault: str | None = None
    without: tuple[str, ...] = ()
    """What was to be appended and is left out without a word."""
    broken: tuple[str, ...] = ()
    """What was to be appended and is an error instead."""


LUCKY = Fate()


class FaultPlan:
    """Chooses faults. A retry is another attempt with another draw, so it can succeed."""

    def __init__(
        self,
        seed: int,
        shares: Mapping[str, float],
        poison: frozenset[int] = frozenset(),
        without: Mapping[str, float] | None = None,
        broken: Mapping[str, float] | None = None,
    ) -> None:
        self._seed = seed
        self._attempts: dict[str, bytearray] = {}
        self.configure(shares, poison, without or {}, broken or {})

    def configure(
        self,
        shares: Mapping[str, float],
        poison: frozenset[int],
        without: Mapping[str, float],
        broken: Mapping[str, float],
    ) -> None:
        self._poison = poison
        self._without = without
        self._broken = broken
        self._thresholds: list[tuple[float, str]] = []
        total = 0.0
        for fault, share in shares.items():
            if share > 0:
                total += share
                self._thresholds.append((total, fault))

    def choose(self, kind: str, record_id: int) -> Fate:
        """Count an attempt at the ID and return what it meets."""
        if record_id in self._poison:
            return Fate(POISON)
        if not (self._thresholds or self._without or self._broken):
            return LUCKY
        attempt = (self._seed, _NUMBER[kind], record_id, self._attempt(kind, record_id))
        chance = unit(mix(*attempt))
        return Fate(
            next((fault for threshold, fault in self._thresholds if chance < threshold), None),
            _drawn(self._without, attempt),
            _drawn(self._broken, attempt),
        )

    def variant(self, record_id: int) -> int:
        """0 or 1, for faults that come in two forms."""
        return mix(self._seed, record_id) & 1

    def _attempt(self, kind: str, record_id: int) -> int:
        counts = self._attempts.setdefault(kind, bytearray())
        slot = min(record_id, _COUNTED_IDS)
        if slot >= len(counts):
            counts.extend(bytes(slot + 65_536 - len(counts)))
        attempt = counts[slot]
        counts[slot] = min(255, attempt + 1)
        return attempt


def _drawn(shares: Mapping[str, float], attempt: tuple[int, ...]) -> tuple[str, ...]:
    return tuple(name for name, share in shares.items() if unit(mix(*attempt, salt(name))) < share)
