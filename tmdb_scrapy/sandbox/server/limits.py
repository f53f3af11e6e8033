"""Rate limits as CDNs have them: a token bucket or a fixed window for each address or key."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

LimitKind = Literal["bucket", "window"]

_REMEMBERED = 10_000
"""Addresses or keys before idle ones are forgotten."""
_ROUNDING = 1e-6
"""Of a token: sums of small refills fall short of it, and a sender at exactly the rate would be refused."""


@dataclass(slots=True)
class _Bucket:
    tokens: float
    refilled: float


@dataclass(slots=True)
class _Window:
    opened: float
    used: int


class RateLimiter:
    """Decides who may pass. Rate, burst and kind may be changed at any time; what was used stays used.

    `rate_per_s` 0 lets everything pass. `burst` 0 means one second's worth. A bucket holds up to `burst`
    tokens; a window lets `burst` requests pass every `burst / rate_per_s` seconds.
    Times are seconds on any clock that never runs back.
    """

    def __init__(self, rate_per_s: float = 0, burst: int = 0, kind: LimitKind = "bucket") -> None:
        self.configure(rate_per_s, burst, kind)
        self._buckets: dict[str, _Bucket] = {}
        self._windows: dict[str, _Window] = {}

    def configure(self, rate_per_s: float, burst: int, kind: LimitKind) -> None:
        self._rate = rate_per_s
        self._burst = max(1.0, burst or rate_per_s)
        self._kind = kind

    def allows(self, who: str, now: float) -> bool:
        """Whether one request more may pass; takes nothing."""
        if self._rate <= 0:
            return True
        if self._kind == "bucket":
            return self._bucket(who, now).tokens >= 1 - _ROUNDING
        return self._window(who, now).used + 1 <= self._burst

    def take(self, who: str, now: float) -> None:
        """Count a request that passed."""
        if self._rate <= 0:
            return
        if self._kind == "bucket":
            self._bucket(who, now).tokens -= 1
        else:
            self._window(who, now).used += 1

    def _bucket(self, who: str, now: float) -> _Bucket:
        bucket = self._buckets.get(who)
        if bucket is None:
            if len(self._buckets) >= _REMEMBERED:
                self._buckets.clear()
            bucket = self._buckets[who] = _Bucket(self._burst, now)
        bucket.tokens = min(self._burst, bucket.tokens + (now - bucket.refilled) * self._rate)
        bucket.refilled = now
        return bucket

    def _window(self, who: str, now: float) -> _Window:
        length_s = self._burst / self._rate
        window = self._windows.get(who)
        if window is None or now - window.opened >= length_s:
            if len(self._windows) >= _REMEMBERED:
                self._windows.clear()
            # Windows lie on a fixed grid, as a counter that expires with the clock has them.
            window = self._windows[who] = _Window(now - now % length_s, 0)
        return window
