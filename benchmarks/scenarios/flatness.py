"""Does the memory of a process grow with its work?"""

from __future__ import annotations

import math
import statistics
from collections.abc import Sequence

from benchmarks.figures import Goal
from benchmarks.processes import Ran, Sample

FLAT = Goal(5, at_most=True)
"""MB. A heavy-tailed mix moves the resident memory of the same crawl by 1 to 2 MB from run to run: the
allocator keeps what the largest bodies of late have needed. But a worker that kept something of each movie
would grow by more: between the second and the last fifth of the memory scenario's 40,000 movies 5 MB are
200 bytes a movie, and no claim with its lease is that small."""


def growth_mb(ran: Ran, began: float, ended: float) -> float:
    """How much more memory a process has in the last fifth of a time than in the second one.

    The first is left out: buffers and caches fill.
    """
    fifth_s = (ended - began) / 5
    early = _resident_mb(between(ran, began + fifth_s, began + 2 * fifth_s))
    late = _resident_mb(between(ran, ended - fifth_s, ended))
    return late - early


def tenths_mb(ran: Ran) -> list[float]:
    """Median resident memory in each tenth of a process's life."""
    step = max(math.ceil(len(ran.samples) / 10), 1)
    return [_resident_mb(ran.samples[at : at + step]) for at in range(0, len(ran.samples), step)]


def between(ran: Ran, start: float, end: float) -> Sequence[Sample]:
    """The samples of a time, seconds since the epoch; all of them if it was too short for any."""
    return [sample for sample in ran.samples if start <= sample.at <= end] or ran.samples


def _resident_mb(samples: Sequence[Sample]) -> float:
    return statistics.median(sample.resident_bytes for sample in samples) / 1e6
