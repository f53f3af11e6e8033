"""The progress of a crawl while it is waited for: a bar on a terminal, a line every half minute elsewhere."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterable

from rich.console import RenderableType
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn
from rich.text import Text

from tmdb_scrapy.queue import Snapshot, State
from tmdb_scrapy.watch.bars import console
from tmdb_scrapy.watch.figures import summary
from tmdb_scrapy.watch.status import workers_table
from tmdb_scrapy.watch.waits import NOTHING_LEFT, waits

LINE_INTERVAL_S = 30.0
MOST_WORKERS = 12
"""Lines of workers under the bar; `scrapy status` has them all."""


class CrawlBar:
    """`update` it within `with bar.shown:`."""

    def __init__(self) -> None:
        self._live = sys.stderr.isatty()
        self._last_line_at = -LINE_INTERVAL_S
        self._told: set[str] = set()
        self.shown = _BarWithWaits(
            TextColumn("crawling"),
            BarColumn(),
            MofNCompleteColumn(),
            TextColumn("{task.fields[detail]}"),
            console=console(),
            disable=not self._live,
        )
        self.shown.add_task("crawl", total=None, detail="")

    def update(self, snapshot: Snapshot) -> None:
        """Show how the crawl stands, and what its workers wait for."""
        counts = f"kept {snapshot.of(State.KEPT):,} · failed {snapshot.of(State.FAILED):,}"
        detail = f"{summary(snapshot)} · {counts}"
        self.shown.waits = waits(snapshot)
        if snapshot.workers:
            self.shown.workers = workers_table(snapshot, time.time(), MOST_WORKERS)
        self.shown.update(TaskID(0), completed=snapshot.done, total=snapshot.total, detail=detail)
        if not self._live:
            self._print(detail, self.shown.waits)

    def _print(self, detail: str, waiting: list[str]) -> None:
        """Every half minute, and at once when workers begin to wait for something else."""
        now = time.monotonic()
        news = {line.partition(": ")[2] for line in waiting} - {NOTHING_LEFT}
        if news <= self._told and now - self._last_line_at < LINE_INTERVAL_S:
            return
        self._told, self._last_line_at = news, now
        print("\n".join([detail, *waiting]), file=sys.stderr, flush=True)


class _BarWithWaits(Progress):
    """A bar with a line a worker under it, and what they wait for."""

    workers: RenderableType | None = None
    waits: Iterable[str] = ()

    def get_renderables(self) -> Iterable[RenderableType]:
        yield from super().get_renderables()
        if self.workers:
            yield self.workers
        for line in self.waits:
            yield Text(line, style="yellow")
