"""``scrapy refresh KIND…``: queue what has to be asked for again."""

from __future__ import annotations

import argparse
import asyncio
import datetime
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import NamedTuple

from scrapy.commands import ScrapyCommand

from tmdb_scrapy import arguments
from tmdb_scrapy.commands.base import BAD_USE, CommandFailed, KindsCommand
from tmdb_scrapy.commands.crawl import HOW_TO_GET_A_KEY
from tmdb_scrapy.commands.discover_here import discover_here
from tmdb_scrapy.commands.download_here import download_here
from tmdb_scrapy.kinds import Kind
from tmdb_scrapy.queue import IdQueue
from tmdb_scrapy.queue.freshness import NOTHING, Conclusion, Known, ask_again, is_seen, known
from tmdb_scrapy.queue.recorded_settings import differing, present
from tmdb_scrapy.sources import days
from tmdb_scrapy.sources.changes import FeedError, changed
from tmdb_scrapy.sources.difference import REASONS, Compared, Plan, compare, plan
from tmdb_scrapy.sources.export import ExportError
from tmdb_scrapy.sources.seeded import DISCOVER, SeededRecord, Selection
from tmdb_scrapy.watch.bars import count_bar
from tmdb_scrapy.watch.figures import duration

OVERLAP = datetime.timedelta(days=1)
"""TMDb's caches hold pages of the feed for hours: the day before the mark is read again."""
SAID_ALWAYS = ("new", "changed", "back", "gone", "over age")


class Told(NamedTuple):
    """What the feed said."""

    ids: set[int]
    until: datetime.date | None
    """The mark's new place; None where it stays."""


class Command(KindsCommand, ScrapyCommand):
    """Idempotent, and may be interrupted at any moment: what it has read counts as read once all of it is
    queued. Exits with 1 when the export lacks so much that nothing was concluded from that."""

    def short_desc(self) -> str:
        return "Queue what is new, changed, back, gone or too old since the last time"

    def add_options(self, parser: argparse.ArgumentParser) -> None:
        super().add_options(parser)
        parser.add_argument("--all", action="store_true", help="every ID that is known")
        parser.add_argument(
            "--since",
            type=arguments.date,
            metavar="YYYY-MM-DD",
            help="what the change feed names since that day (default: since it was last read)",
        )
        parser.add_argument("--dry-run", action="store_true", help="only say how many it would be")

    def execute(self, opts: argparse.Namespace) -> None:
        if opts.since and opts.all:
            raise CommandFailed("give --since or --all, not both", BAD_USE)
        for kind in opts.kinds:
            if opts.since and not kind.has_changes:
                raise CommandFailed(f"--since: TMDb has no change feed of {kind.name}", BAD_USE)
        if opts.since and opts.since > days.today():
            raise CommandFailed(f"--since {opts.since} is still to come", BAD_USE)
        super().execute(opts)

    def execute_for(self, kind: Kind, opts: argparse.Namespace) -> None:
        before = self.ask(kind, known)
        if not before.ledger.strip(b"\0"):
            raise CommandFailed(f"no {kind.name} were seeded. Run: scrapy seed {kind.name}")
        today = days.today()
        selections = self._selections(kind, before)
        try:
            file = download_here(self, kind, today, days.DAYS_BACK)
            compared = compare(file, kind, selections, before.ledger)
            compared.new += self._discovered(kind, before, selections)
            told = self._told(kind, before, opts, today)
        except (ExportError, FeedError) as error:
            raise CommandFailed(str(error)) from None
        oldest = today - datetime.timedelta(days=self.config.max_age_days)
        found = plan(before, compared, told.ids, oldest, everything=opts.all)
        concluded = _conclusion(told, found, compared, file)
        counts = (
            {reason: len(ids) for reason, ids in found.by_reason.items()}
            if opts.dry_run
            else self._queue(kind, found, concluded)
        )
        self._say(counts, found.left_alone, opts.dry_run)
        if opts.all and not opts.dry_run:
            self._take_up_settings(kind)
        if found.is_shrunken:
            raise CommandFailed(
                f"{file.name} has {found.still_exported:,} of the {found.known_exported:,} {kind.name} that "
                "it had to have: it is not whole, so nothing was concluded from what it lacks. Refresh again "
                f"when there is another; if it is right, scrapy refresh {kind.name} --all asks for every ID",
                is_partial=True,
            )
        if not opts.dry_run:
            self._remember(kind, file, selections)

    def _selections(self, kind: Kind, before: Known) -> list[Selection]:
        """What was seeded, by whichever machine."""
        words = before.selections or [each.words for each in self._seeded(kind).all()]
        if not words:
            raise CommandFailed(
                f"which {kind.name} were seeded is recorded nowhere: it was an earlier release, on another "
                f"machine. Run once, with the options of then: scrapy seed {kind.name}"
            )
        return [Selection.of_words(each, "") for each in words]

    def _discovered(self, kind: Kind, before: Known, selections: Sequence[Selection]) -> list[int]:
        """What discover has newly found, where it was what was seeded by."""
        if not any(each.source == DISCOVER for each in selections):
            return []
        found = discover_here(self, kind, self._seeded(kind).discovered)
        return [each for each in found if not is_seen(before.ledger, each)]

    def _seeded(self, kind: Kind) -> SeededRecord:
        return SeededRecord(self.config.data_dir / "exports", kind)

    def _told(self, kind: Kind, before: Known, opts: argparse.Namespace, today: datetime.date) -> Told:
        """What the feed says, from a day before it was last read. Raises `FeedError` and `CommandFailed`."""
        if not kind.has_changes:
            return Told(set(), None)
        if opts.all:
            # Who asks for everything needs no feed, and gets past one that cannot be read.
            return Told(set(), today)
        since: datetime.date | None = opts.since
        mark = before.changes_read or before.seeded_on or self._first_export(kind)
        if mark is None and since is None:
            raise CommandFailed(
                f"since when the changes of {kind.name} are wanted is not known: say it once, or ask for "
                f"everything: scrapy refresh {kind.name} --since YYYY-MM-DD, or --all"
            )
        first = since or (mark or today) - OVERLAP
        if not self.config.tmdb_api_key:
            raise CommandFailed(HOW_TO_GET_A_KEY, BAD_USE)
        ids = asyncio.run(self._read(kind, first, today))
        # What lies between an old mark and a later --since was not read.
        return Told(ids, today if mark is None or first <= mark else None)

    def _first_export(self, kind: Kind) -> datetime.date | None:
        """Seeded by an earlier release: its export is older than the seeding."""
        exported = [days.day_of(Path(each.file)) for each in self._seeded(kind).all()]
        return min((day for day in exported if day), default=None)

    async def _read(self, kind: Kind, first: datetime.date, last: datetime.date) -> set[int]:
        from tmdb_scrapy.downloader.asking import Asking, NotAnswered

        assert self.settings is not None
        try:
            async with Asking(self.config, self.settings) as asking:
                return await changed(asking.ask, kind, first, last)
        except NotAnswered as error:
            raise CommandFailed(str(error)) from None

    def _queue(self, kind: Kind, found: Plan, concluded: Conclusion) -> dict[str, int]:
        """What was queued for each reason. What is concluded stands with the last of them."""
        counts = {}
        total = sum(map(len, found.by_reason.values()))
        with count_bar("queueing", total) as bar:
            for reason, ids in found.by_reason.items():
                last = reason == REASONS[-1]
                counts[reason] = self.ask(
                    kind,
                    partial(
                        ask_again,
                        ids=ids,
                        conclusion=concluded if last else NOTHING,
                        report=bar.advance,
                    ),
                )
        return counts

    def _say(self, counts: dict[str, int], left_alone: int, dry_run: bool) -> None:
        total, rate_per_s = sum(counts.values()), self.config.rate_limit
        parts = [f"{reason} {n:,}" for reason, n in counts.items() if n or reason in SAID_ALWAYS]
        took = f", about {duration(total / rate_per_s)} at {rate_per_s:g}/s" if rate_per_s and total else ""
        parts.append(f"{total:,} {'would be queued' if dry_run else 'queued'}{took}")
        print(" · ".join(parts), flush=True)
        if left_alone:
            print(f"left alone {left_alone:,}: the change feed names them, and nobody asked for them")

    def _take_up_settings(self, kind: Kind) -> None:
        """All outcomes will be those of the settings of now. Raises `CommandFailed` while workers live."""
        now = present(self.config, kind)
        if differing(self.ask(kind, IdQueue.settings), now, kind):
            self.ask(kind, lambda queue: queue.adopt(now))

    def _remember(self, kind: Kind, file: Path, selections: Sequence[Selection]) -> None:
        """From now on the audit compares with this export; the ones before go."""
        seeded = self._seeded(kind)
        seeded.replace([seeded.of_words(each.words, file) for each in selections])
        days.keep_only(file, kind)


def _conclusion(told: Told, found: Plan, compared: Compared, file: Path) -> Conclusion:
    if found.is_shrunken:
        return Conclusion(changes_read=told.until)
    return Conclusion(told.until, days.day_of(file), bytes(compared.present))
