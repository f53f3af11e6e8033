"""What there is to show, as programs read it."""

from __future__ import annotations

import time
from typing import Any

from tmdb_scrapy.queue import Heartbeat, Minute, Snapshot
from tmdb_scrapy.queue.states import ENDED
from tmdb_scrapy.watch.figures import duration, left_s, rate_per_s
from tmdb_scrapy.watch.sampler import INTERVAL_S, Sample, Sampler
from tmdb_scrapy.watch.waits import waits_for

STALE_S = 5 * INTERVAL_S
"""A sample is stale when it is so old: Redis is away, or hangs."""
NOTHING = "–"


def status(sampler: Sampler, now: float) -> dict[str, Any]:
    """All there is, as `api/status` has it. `now`: seconds since the epoch."""
    sample = sampler.sample
    return heading(sample, now) | {
        "kinds": {
            name: numbers(snapshot)
            | {
                "texts": texts(snapshot, sample, name, now),
                "workers": [told(worker) for worker in snapshot.workers],
                "lost": snapshot.lost,
                "gone": {name: each.since for name, each in sampler.gone[name].items()},
                "failures": {str(tmdb_id): why for tmdb_id, why in snapshot.failures.items()},
            }
            for name, snapshot in sample.shown()
        }
    }


def heading(sample: Sample, now: float) -> dict[str, Any]:
    """How true the rest is."""
    return {"at": sample.at, "trouble": sample.trouble, "stale": stale(sample, now)}


def stale(sample: Sample, now: float) -> str:
    """Since when, and why, what is shown is not what is; empty when it is."""
    if not sample.at:
        return f"Redis has not been read yet. {sample.trouble}".strip()
    if not sample.trouble and now - sample.at < STALE_S:
        return ""
    return f"stale since {clock(sample.at)}: {sample.trouble or 'Redis does not answer'}"


def clock(at: float) -> str:
    """The time of the day of seconds since the epoch."""
    return time.strftime("%H:%M:%S UTC", time.gmtime(at))


def numbers(snapshot: Snapshot) -> dict[str, Any]:
    """Of one kind, in IDs."""
    return {
        "total": snapshot.total,
        "done": snapshot.done,
        "queued": snapshot.queued,
        "leased": snapshot.leased,
        **{state.label: snapshot.of(state) for state in ENDED},
        "reasons": snapshot.dropped,
        "paused_since": snapshot.paused_since,
        "rate_per_s": round(rate_per_s(snapshot), 2),
        "left_s": round(left_s(snapshot), 1),
    }


def texts(snapshot: Snapshot, sample: Sample, kind: str, now: float) -> dict[str, str]:
    """Of one kind, for people."""
    recent = Minute()
    for minute in snapshot.recent.values():
        recent |= minute
    left = left_s(snapshot)
    allowed = sum(worker.allowed_per_s for worker in snapshot.workers)
    updated, oldest = snapshot.updated_at, sample.oldest.get(kind, 0.0)
    return {
        "percent": f"{100 * snapshot.done / snapshot.total:.1f} %" if snapshot.total else NOTHING,
        "pace": f"{rate_per_s(snapshot):,.1f}/s",
        "left": duration(left) if left else NOTHING,
        "state": _state(snapshot),
        "allowed": f"{allowed:,.0f}/s" if allowed else NOTHING,
        "answers": f"{recent.answers:,}",
        "throttled": f"{recent.throttled:,}",
        "latency": f"{recent.mean_s * 1000:,.0f} ms" if recent.answers else NOTHING,
        "updated": f"{duration(now - updated)} ago" if updated else "",
        "next": sample.scheduled.get(kind, "not scheduled here"),
        "oldest": _days(now - oldest) if oldest else "",
    }


def _days(seconds: float) -> str:
    days = int(seconds // 86_400)
    return f"{days:,} days" if days > 1 else ("today", "1 day")[max(days, 0)]


def _state(snapshot: Snapshot) -> str:
    """In a word or two, what goes on."""
    if snapshot.paused_since:
        return "paused"
    if not snapshot.queued:
        return "done" if snapshot.total else "nothing seeded"
    if not snapshot.workers:
        return "nobody crawls"
    return "crawling" if any(w.state == "crawling" for w in snapshot.workers) else snapshot.workers[0].state


def told(worker: Heartbeat) -> dict[str, Any]:
    """A worker, as programs read it."""
    return {
        "name": worker.name,
        "host": worker.host,
        "pid": worker.pid,
        "state": worker.state,
        "rate_per_s": worker.rate_per_s,
        "allowed_per_s": worker.allowed_per_s,
        "in_flight": worker.in_flight,
        "leased": worker.leased,
        "settled": sum(worker.outcomes.values()),
        "throttled": worker.throttled,
        "memory_bytes": worker.memory_bytes,
        "waits_for": waits_for(worker),
        "seen_at": worker.seen_at,
    }


def cells(worker: Heartbeat, now: float) -> list[str]:
    """The columns of a worker's row that change, in the order in which they stand there."""
    silent_s = max(now - worker.seen_at, 0.0)
    return [
        worker.state,
        f"{worker.rate_per_s:,.1f}/s",
        str(worker.in_flight),
        f"{worker.throttled:,}",
        f"{worker.memory_bytes / 1e6:,.0f} MB",
        "now" if silent_s < 2 * INTERVAL_S else f"{silent_s:.0f} s ago",
        waits_for(worker),
    ]
