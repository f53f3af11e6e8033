"""``scrapy job KIND…``: the whole job on this machine."""

from __future__ import annotations

import argparse
import time

from scrapy.commands import ScrapyCommand

from tmdb_scrapy.commands.base import BAD_USE, CommandFailed, KindsCommand
from tmdb_scrapy.commands.crawl import HOW_TO_GET_A_KEY
from tmdb_scrapy.commands.crawl_here import crawl_here
from tmdb_scrapy.commands.redis import start_here
from tmdb_scrapy.kinds import Kind
from tmdb_scrapy.local.workers import run_scrapy
from tmdb_scrapy.queue import IdQueue, Snapshot, State
from tmdb_scrapy.queue.recorded_settings import present
from tmdb_scrapy.records.part import merged_file
from tmdb_scrapy.sources.seeded import DISCOVER, EXPORT, SeededRecord
from tmdb_scrapy.watch.figures import duration


class Command(KindsCommand, ScrapyCommand):
    """Redis if there is none here, seed if nothing is queued, PROCESSES workers, merge, audit, report.
    Ctrl-C stops cleanly; the same command continues."""

    def short_desc(self) -> str:
        return "Do the whole job on this machine: seed, crawl, merge, audit, report"

    def execute(self, opts: argparse.Namespace) -> None:
        super().execute(opts)
        self._step("report")

    def add_options(self, parser: argparse.ArgumentParser) -> None:
        super().add_options(parser)
        parser.add_argument("--source", choices=[EXPORT, DISCOVER], default=EXPORT, help="as of scrapy seed")

    def execute_for(self, kind: Kind, opts: argparse.Namespace) -> None:
        if not self.config.tmdb_api_key:
            raise CommandFailed(HOW_TO_GET_A_KEY, BAD_USE)
        self._go_on_after(start_here(self.config))
        self.ask(kind, lambda queue: queue.settle_under(present(self.config, kind)))
        self._seed(kind, opts.source)
        started = time.monotonic()
        before = self.ask(kind, IdQueue.snapshot)
        progress = crawl_here(self, kind)
        self._report(kind, before, progress, time.monotonic() - started)
        self._step("merge", kind.name)
        self._step("audit", kind.name)

    def _seed(self, kind: Kind, source: str) -> None:
        unfinished = SeededRecord(self.config.data_dir / "exports", kind).unfinished()
        if unfinished and unfinished.source == EXPORT:
            options = ["--limit", str(unfinished.limit)] if unfinished.limit else []
            if unfinished.min_popularity is not None:
                options += ["--min-popularity", str(unfinished.min_popularity)]
            options += ["--no-video"] if unfinished.no_video else []
            self._step("seed", kind.name, "--file", unfinished.file, *options)
        elif unfinished or not self.ask(kind, IdQueue.queued):
            self._step("seed", kind.name, "--source", source)

    def _step(self, *arguments: str) -> None:
        self._go_on_after(run_scrapy(*arguments))

    def _go_on_after(self, code: int) -> None:
        """A step that failed has said why. Raises `CommandFailed`."""
        if code:
            raise CommandFailed("", code)

    def _report(self, kind: Kind, before: Snapshot, after: Snapshot, elapsed_s: float) -> None:
        done = after.done - before.done
        dropped = ", ".join(f"{reason} {count:,}" for reason, count in after.dropped.items())
        print(f"seeded   {kind.count(after.total)}")
        print(f"kept     {after.of(State.KEPT):,}")
        print(f"dropped  {after.of(State.DROPPED):,}" + (f" ({dropped})" if dropped else ""))
        print(f"missing  {after.of(State.MISSING):,}")
        print(f"failed   {after.of(State.FAILED):,}")
        print(f"speed    {done / max(elapsed_s, 0.001):,.0f} records/s, {duration(elapsed_s)}")
        print(f"file     {merged_file(self.config.data_dir, kind)}", flush=True)
