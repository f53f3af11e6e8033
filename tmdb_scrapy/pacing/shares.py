"""How workers divide a limit: by what each needs, and so that one that idles can begin again at once."""

from __future__ import annotations

import math
from collections.abc import Mapping

IDLE_SHARE = 0.1
"""Of an equal share, for a worker that needs less: enough to be seen to need more, and to get it with the
next heartbeats."""


HEADROOM = 1.5
"""A worker that does not use all of its rate may need so many times what it used."""


def need_per_s(*, crawling: bool, in_use: bool, used_per_s: float) -> float:
    """What a worker needs by its heartbeat; infinity for one that would use whatever it gets. `crawling`: it
    is not waiting, paused, probing or stopping."""
    if not crawling:
        return 0.0
    return math.inf if in_use else HEADROOM * used_per_s


def divide(limit_per_s: float, workers: Mapping[float, int]) -> dict[float, float]:
    """Divide a limit over workers, in requests a second, so that the smallest share is as large as it can be.

    `workers` says how many have which need, which is what a worker would use at most (`need_per_s`); returns
    the share of each of those, by need. While some need more, nobody gets more than it needs, but everybody
    at least `IDLE_SHARE` of an equal share. What nobody needs is divided equally. The shares of all workers
    add up to the limit.
    """
    count = sum(workers.values())
    left_per_s, to_come, shares = limit_per_s, count, dict[float, float]()
    for need in sorted(workers):
        wanted = max(need, IDLE_SHARE * limit_per_s / count)
        shares[need] = min(wanted, left_per_s / to_come)
        left_per_s -= shares[need] * workers[need]
        to_come -= workers[need]
    return {need: share + left_per_s / count for need, share in shares.items()}
