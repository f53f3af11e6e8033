"""Figures of a crawl, as every picture of it has them: rates, time left, and how long that is in words."""

from __future__ import annotations

from tmdb_scrapy.queue import Snapshot


def summary(snapshot: Snapshot) -> str:
    """One line: done, rate, time left."""
    rate = rate_per_s(snapshot)
    done = f"{snapshot.done:,} of {snapshot.total:,} done"
    if snapshot.paused_since:
        return f"{done}, paused"
    if not snapshot.total or not rate:
        return done
    return f"{done}, {rate:,.1f}/s, {duration(left_s(snapshot))} left"


def rate_per_s(snapshot: Snapshot) -> float:
    """Answers a second, of all live workers."""
    return sum(worker.rate_per_s for worker in snapshot.workers)


def average_rate_per_s(snapshot: Snapshot, now: float) -> float:
    """Outcomes a second of the live workers, each since its start."""
    return sum(
        sum(worker.outcomes.values()) / max(now - worker.started_at, 1.0) for worker in snapshot.workers
    )


def left_s(snapshot: Snapshot) -> float:
    """Seconds until nothing is queued any more, at the present rate; 0 when nothing moves."""
    rate = 0.0 if snapshot.paused_since else rate_per_s(snapshot)
    return snapshot.queued / rate if rate else 0.0


def duration(seconds: float) -> str:
    """`1 h 03 min`, `4 min 10 s`, `12 s`. Less than none, as between clocks that differ, is none."""
    whole = max(round(seconds), 0)
    if whole >= 3600:
        return f"{whole // 3600} h {whole % 3600 // 60:02} min"
    return f"{whole // 60} min {whole % 60:02} s" if whole >= 60 else f"{whole} s"
