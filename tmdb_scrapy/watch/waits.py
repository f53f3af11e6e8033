"""What workers wait for, by their heartbeats."""

from __future__ import annotations

import time
from collections import Counter

from tmdb_scrapy.printable import line
from tmdb_scrapy.queue import Heartbeat, Snapshot

LONG_SILENCE_S = 5.0
"""A shorter one is over before anybody has read of it."""
PAUSED = "paused, until `scrapy resume`"
NOTHING_LEFT = "nothing left to lease, others hold the rest"


def waits_for(worker: Heartbeat) -> str:
    """What a worker cannot do at present and why, in one sentence; empty when it crawls."""
    if worker.last_error:
        return worker.last_error
    if worker.silent_until - worker.seen_at >= LONG_SILENCE_S:
        return f"silent until {_clock(worker.silent_until)}, as TMDb asked (Retry-After)"
    if worker.state == "paused":
        return PAUSED
    return NOTHING_LEFT if worker.state == "waiting" else ""


def waits(snapshot: Snapshot) -> list[str]:
    """A line of a terminal for each thing that workers wait for, with how many do."""
    counted = Counter(line(text) for worker in snapshot.workers if (text := waits_for(worker)))
    return [f"{count} {'worker' if count == 1 else 'workers'}: {text}" for text, count in counted.items()]


def _clock(seconds: float) -> str:
    """The time of the day here, of seconds since the epoch."""
    return time.strftime("%H:%M:%S", time.localtime(seconds))
