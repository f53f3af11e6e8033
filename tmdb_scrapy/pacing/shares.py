"""How workers divide a limit: by what each needs, and so that one that idles can begin again at once."""

from __future__ import annotations

from collections.abc import Sequence

IDLE_SHARE = 0.1
"""Of an equal share, for a worker that needs less: enough to be seen to need more, and to get it with the
next heartbeats."""


HEADROOM = 1.5
"""A worker that does not use all of its rate may need so many times what it used."""


def need_per_s(*, crawling: bool, in_use: bool, used_per_s: float) -> float | None:
    """What a worker needs by its heartbeat. `crawling`: it is not waiting, paused, probing or stopping."""
    if not crawling:
        return 0.0
    return None if in_use else HEADROOM * used_per_s


def divide(limit_per_s: float, needs_per_s: Sequence[float | None]) -> list[float]:
    """Divide a limit over workers, in requests a second, so that the smallest is as large as it can be.

    A need is what a worker would use at most; None says that it would use whatever it gets (`need_per_s`).
    While some need more, nobody gets more than it needs, but everybody at least `IDLE_SHARE` of an equal
    share. What nobody needs is divided equally. The shares add up to the limit.
    """
    if not needs_per_s:
        return []
    least_per_s = IDLE_SHARE * limit_per_s / len(needs_per_s)
    wanted = [limit_per_s if need is None else max(need, least_per_s) for need in needs_per_s]
    left_per_s, shares = limit_per_s, [0.0] * len(wanted)
    for place, worker in enumerate(sorted(range(len(wanted)), key=wanted.__getitem__)):
        shares[worker] = min(wanted[worker], left_per_s / (len(wanted) - place))
        left_per_s -= shares[worker]
    return [share + left_per_s / len(shares) for share in shares]
