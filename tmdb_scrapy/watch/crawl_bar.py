"""The progress of a crawl while it is waited for: a bar on a terminal, a line every half minute elsewhere."""

from __future__ import annotations

import sys
import time

from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn

from tmdb_scrapy.queue import Snapshot, State
from tmdb_scrapy.watch.bars import console
from tmdb_scrapy.watch.status import summary

LINE_INTERVAL_S = 30.0


class CrawlBar:
    """`update` it within `with bar.shown:`."""

    def __init__(self) -> None:
        self._live = sys.stderr.isatty()
        self._last_line_at = 0.0
        self.shown = Progress(
            TextColumn("crawling"),
            BarColumn(),
            MofNCompleteColumn(),
            TextColumn("{task.fields[detail]}"),
            console=console,
            disable=not self._live,
        )
        self.shown.add_task("crawl", total=None, detail="")

    def update(self, snapshot: Snapshot) -> None:
        """Show how the crawl stands."""
        counts = f"kept {snapshot.of(State.KEPT):,} · failed {snapshot.of(State.FAILED):,}"
        detail = f"{summary(snapshot)} · {counts}"
        self.shown.update(TaskID(0), completed=snapshot.done, total=snapshot.total, detail=detail)
        if not self._live and time.monotonic() - self._last_line_at >= LINE_INTERVAL_S:
            self._last_line_at = time.monotonic()
            print(detail, file=sys.stderr, flush=True)
