"""Samples as the sampler takes them, for what is made of them."""

from __future__ import annotations

from typing import Any

from tmdb_scrapy.queue import Heartbeat, Snapshot
from tmdb_scrapy.watch.sampler import Sample

NOW = 1_764_072_000.0
HOSTILE = "a\"b\\c\nd{}<script>alert('x')</script>&amp;\u202e"


def worker(**details: Any) -> Heartbeat:
    given: dict[str, Any] = {
        "name": "here-1-abc", "host": "here", "pid": 1, "state": "crawling", "rate_per_s": 40.0,
        "allowed_per_s": 40.0, "answers": 40, "throttled": 3, "outcomes": {"kept": 20, "missing": 2},
        "in_flight": 5, "memory_bytes": 100_000_000, "durations": [0, 10, 20, 5, 3, 0, 1, 0, 0, 1],
        "duration_total_s": 12.5, "seen_at": NOW - 1, "started_at": NOW - 60,
    }  # fmt: skip
    return Heartbeat(**{**given, **details})


def movies(*workers: Heartbeat, **details: Any) -> Snapshot:
    given: dict[str, Any] = {
        "counts": {
            "queued": 90, "refreshing": 10, "kept": 50, "dropped": 30, "missing": 5, "failed": 4, "stale": 1
        },
        "dropped": {"budget": 29, "cast": 1}, "leased": 7, "workers": list(workers),
        "lost": {"there-2-def": 12}, "updated_at": 1_764_000_000.0,
    }  # fmt: skip
    return Snapshot(**{**given, **details})


def sample(*workers: Heartbeat, **details: Any) -> Sample:
    nothing = Snapshot(counts={}, dropped={}, leased=0, workers=[], lost={})
    kinds = {"movies": movies(*workers), "people": nothing}
    given: dict[str, Any] = {"at": NOW, "kinds": kinds, "oldest": {"movies": NOW - 86_400}}
    return Sample(**{**given, **details})
