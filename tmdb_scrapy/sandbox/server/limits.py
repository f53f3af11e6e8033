"""Rate limits as CDNs have them: a token bucket, a fixed or a sliding window for each address or key."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections import deque
from typing import Literal

LimitKind = Literal["bucket", "window", "sliding"]

_REMEMBERED = 10_000
"""Addresses or keys before all are forgotten."""
_ROUNDING = 1e-6
"""Of a token or a second: sums of small steps fall short of it, and a sender at exactly the rate would be
refused."""


class _Account(ABC):
    """What one address or key has used. Times are seconds on any clock that never runs back."""

    @abstractmethod
    def allows(self, now: float, rate_per_s: float, burst: float) -> bool:
        """Whether one request more may pass; takes nothing."""

    @abstractmethod
    def take(self, now: float) -> None:
        """Count a request that passed at the `now` that was asked about."""


class _Bucket(_Account):
    """Holds up to `burst` tokens and gains `rate_per_s` of them; a request costs one."""

    def __init__(self) -> None:
        self._tokens = float("inf")
        self._refilled = 0.0

    def allows(self, now: float, rate_per_s: float, burst: float) -> bool:
        self._tokens = min(burst, self._tokens + (now - self._refilled) * rate_per_s)
        self._refilled = now
        return self._tokens >= 1 - _ROUNDING

    def take(self, now: float) -> None:
        self._tokens -= 1


class _Window(_Account):
    """Lets `burst` requests pass every `burst / rate_per_s` seconds, all at once if they come so."""

    def __init__(self) -> None:
        self._opened = float("-inf")
        self._used = 0

    def allows(self, now: float, rate_per_s: float, burst: float) -> bool:
        length_s = burst / rate_per_s
        if now - self._opened >= length_s:
            # Windows lie on a fixed grid, as a counter that expires with the clock has them.
            self._opened = now - now % length_s
            self._used = 0
        return self._used + 1 <= burst

    def take(self, now: float) -> None:
        self._used += 1


class _Sliding(_Account):
    """Counts the requests of the last `burst / rate_per_s` seconds exactly."""

    def __init__(self) -> None:
        self._passed: deque[float] = deque()

    def allows(self, now: float, rate_per_s: float, burst: float) -> bool:
        since = now - burst / rate_per_s + _ROUNDING
        while self._passed and self._passed[0] <= since:
            self._passed.popleft()
        return len(self._passed) + 1 <= burst

    def take(self, now: float) -> None:
        self._passed.append(now)


_ACCOUNTS: dict[LimitKind, type[_Account]] = {"bucket": _Bucket, "window": _Window, "sliding": _Sliding}


class RateLimiter:
    """Decides who may pass. Rate, burst and kind may be changed at any time; what was used stays used, unless
    the kind changes.

    `rate_per_s` 0 lets everything pass. `burst` 0 means one second's worth, so that `sliding` counts the last
    second.
    """

    def __init__(self, rate_per_s: float = 0, burst: int = 0, kind: LimitKind = "bucket") -> None:
        self._accounts: dict[str, _Account] = {}
        self._kind: LimitKind = kind
        self.configure(rate_per_s, burst, kind)

    def configure(self, rate_per_s: float, burst: int, kind: LimitKind) -> None:
        if kind != self._kind:
            self._accounts.clear()
        self._rate = rate_per_s
        self._burst = max(1.0, burst or rate_per_s)
        self._kind = kind

    def allows(self, who: str, now: float) -> bool:
        """Whether one request more may pass; takes nothing."""
        return self._rate <= 0 or self._account(who).allows(now, self._rate, self._burst)

    def take(self, who: str, now: float) -> None:
        """Count a request that was allowed at this `now`."""
        if self._rate > 0:
            self._account(who).take(now)

    def _account(self, who: str) -> _Account:
        account = self._accounts.get(who)
        if account is None:
            if len(self._accounts) >= _REMEMBERED:
                self._accounts.clear()
            account = self._accounts[who] = _ACCOUNTS[self._kind]()
        return account
