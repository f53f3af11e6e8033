"""The picture of a crawl: counts, rates, and a line a worker."""

from __future__ import annotations

from collections.abc import Mapping

from rich.console import Group, RenderableType
from rich.markup import escape
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from tmdb_scrapy.printable import line
from tmdb_scrapy.queue import Heartbeat, Snapshot, State
from tmdb_scrapy.queue.keys import HEARTBEAT_TTL_S
from tmdb_scrapy.watch.figures import average_rate_per_s, duration, summary
from tmdb_scrapy.watch.waits import waits_for

BAR_WIDTH = 60
QUIET_S = HEARTBEAT_TTL_S / 2
"""A worker that was silent for so long is marked."""


def render(by_kind: Mapping[str, Snapshot], now: float) -> RenderableType:
    """`now`: seconds since the epoch."""
    if not by_kind:
        return Text("nothing is seeded yet: make seed")
    return Group(*(_kind(kind, snapshot, now) for kind, snapshot in by_kind.items()))


def _kind(kind: str, snapshot: Snapshot, now: float) -> RenderableType:
    counts = Table(title=kind, title_justify="left", show_header=False, box=None, padding=(0, 2, 0, 0))
    counts.add_row("progress", summary(snapshot))
    counts.add_row("", ProgressBar(total=max(snapshot.total, 1), completed=snapshot.done, width=BAR_WIDTH))
    if snapshot.paused_since:
        since = duration(max(now - snapshot.paused_since, 0.0))
        counts.add_row("paused", f"for {since}; to go on: scrapy resume {kind}")
    average = average_rate_per_s(snapshot, now)
    if average:
        counts.add_row("average", f"{average:,.1f}/s since the workers started")
    counts.add_row("queued", f"{snapshot.queued:,} ({snapshot.leased:,} leased)")
    shown = [State.KEPT, State.DROPPED, State.MISSING, State.FAILED]
    if snapshot.of(State.STALE):
        shown.append(State.STALE)
    for state in shown:
        detail = ""
        if state is State.DROPPED and snapshot.dropped:
            reasons = ", ".join(f"{reason} {count:,}" for reason, count in snapshot.dropped.items())
            detail = f" ({_text(reasons)})"
        counts.add_row(state.label, f"{snapshot.of(state):,}{detail}")
    return Group(counts, workers_table(snapshot, now)) if snapshot.workers or snapshot.lost else counts


def workers_table(snapshot: Snapshot, now: float, most: int | None = None) -> Table:
    """A line a worker, for the first `most` of them."""
    table = Table(box=None, padding=(0, 2, 0, 0))
    for column in (
        "host",
        "pid",
        "state",
        "rate",
        "allowed",
        "in flight",
        "429s",
        "memory",
        "seen",
        "waits for",
    ):
        table.add_column(column, justify="left" if column in {"host", "state", "waits for"} else "right")
    for worker in snapshot.workers[:most]:
        table.add_row(*_worker(worker, now))
    for name, leases in snapshot.lost.items():
        table.add_row(_text(name), "", f"[red]gone, {leases:,} leases to take over")
    return table


def _worker(worker: Heartbeat, now: float) -> tuple[str, ...]:
    silent_s = max(now - worker.seen_at, 0.0)
    seen = f"{silent_s:.0f} s ago"
    return (
        _text(worker.host),
        str(worker.pid),
        _text(worker.state),
        f"{worker.rate_per_s:,.1f}/s",
        f"{worker.allowed_per_s:,.0f}/s",
        str(worker.in_flight),
        str(worker.throttled),
        f"{worker.memory_bytes / 1e6:,.0f} MB",
        f"[red]{seen}" if silent_s > QUIET_S else seen,
        _text(waits_for(worker)),
    )


def _text(written: str) -> str:
    """Of a worker, who may be anybody: neither markup nor what steers a terminal."""
    return escape(line(written))
