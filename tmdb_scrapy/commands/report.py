"""``scrapy report``: one page about the crawl and what it collected."""

from __future__ import annotations

import argparse
import tempfile
import time
from datetime import UTC, datetime
from pathlib import Path

import redis.asyncio
from scrapy.commands import ScrapyCommand

from tmdb_scrapy import privacy
from tmdb_scrapy.commands.base import CommandFailed, TmdbCommand
from tmdb_scrapy.kinds import FIRST, KINDS
from tmdb_scrapy.queue import IdQueue, Snapshot, snapshots
from tmdb_scrapy.queue.history import KEPT_DAYS, MINUTES_A_DAY, History, minute_of
from tmdb_scrapy.records.part import merged_file
from tmdb_scrapy.tables.engine import EngineFailed, NotInstalled
from tmdb_scrapy.tables.origin import read_origin
from tmdb_scrapy.tables.source import BrokenLine
from tmdb_scrapy.watch.bars import bytes_bar
from tmdb_scrapy.watch.report.collected import Collected
from tmdb_scrapy.watch.report.crawl import Crawl, on_disk, stretches
from tmdb_scrapy.watch.report.from_lines import from_lines
from tmdb_scrapy.watch.report.from_tables import from_tables
from tmdb_scrapy.watch.report.page import NAME, Report, page
from tmdb_scrapy.whole_file import whole_file


class Command(TmdbCommand, ScrapyCommand):
    """Writes DATA_DIR/report.html: how the crawl went, by Redis if it answers, and what is in the merged
    files. One file without scripts, which asks nobody for anything: to be kept, sent and printed."""

    def short_desc(self) -> str:
        return "Write a page about the crawl and what it collected: DATA_DIR/report.html"

    def execute(self, opts: argparse.Namespace) -> None:
        crawls, silence = self._crawls()
        collected, source = self._collected()
        report = Report(
            written_at=datetime.now(UTC),
            crawls=[crawl for crawl in crawls if crawl.is_known],
            collected=collected,
            source=source,
            silence=silence,
        )
        target = self.config.data_dir / NAME
        privacy.open_directory(target.parent)
        with whole_file(target) as file:
            file.write(page(report).encode())
        print(f"report   {target}")

    def _crawls(self) -> tuple[list[Crawl], str]:
        """What is known of each kind, and why nothing is known from Redis."""
        crawls = [on_disk(self.config.data_dir, kind) for kind in KINDS.values()]
        try:
            looked, histories = self.ask_redis(list(KINDS.values()), _looked)
        except CommandFailed as error:
            return crawls, str(error)
        for crawl in crawls:
            crawl.snapshot = looked[crawl.kind.name]
            crawl.history = stretches(histories[crawl.kind.name])
        return crawls, ""

    def _collected(self) -> tuple[Collected | None, str]:
        """The movies, counted, and from what."""
        merged = merged_file(self.config.data_dir, KINDS[FIRST])
        if not merged.exists():
            return None, ""
        tables = self.config.data_dir / "tables"
        origin = read_origin(tables)
        if origin is not None and origin.is_of(merged):
            try:
                with tempfile.TemporaryDirectory(dir=self.config.data_dir) as temporary:
                    return from_tables(tables, Path(temporary)), "its tables"
            except (NotInstalled, EngineFailed):
                pass  # the lines tell the same, only later
        try:
            with bytes_bar("reading", merged.stat().st_size) as bar:
                return from_lines(merged, bar.advance), merged.name
        except BrokenLine as error:
            raise CommandFailed(f"{error}. Merge again, or take the line out") from None


async def _looked(client: redis.asyncio.Redis) -> tuple[dict[str, Snapshot], dict[str, History]]:
    """How all kinds stand at one moment, and what was in the days before, by name."""
    until = minute_of(time.time())
    since = until - KEPT_DAYS * MINUTES_A_DAY
    looked = await snapshots(client, KINDS.values())
    return looked, {name: await IdQueue(client, kind).history(since, until) for name, kind in KINDS.items()}
