"""How long answers take: a histogram that costs an addition."""

from __future__ import annotations

from bisect import bisect_left

from tmdb_scrapy.queue.heartbeat import DURATION_BOUNDS_S


class Durations:
    """What was measured since the worker started."""

    def __init__(self) -> None:
        self.counts = [0] * (len(DURATION_BOUNDS_S) + 1)
        """By the first of `DURATION_BOUNDS_S` that is not exceeded; the last for longer ones."""
        self.total_s = 0.0

    def add(self, duration_s: float) -> None:
        """One answer."""
        self.counts[bisect_left(DURATION_BOUNDS_S, duration_s)] += 1
        self.total_s += duration_s
