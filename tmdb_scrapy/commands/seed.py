"""``scrapy seed KIND…``: the IDs of the daily export go into the queue."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path

from scrapy.commands import ScrapyCommand

from tmdb_scrapy import arguments
from tmdb_scrapy.commands.base import BAD_USE, CommandFailed, KindsCommand
from tmdb_scrapy.commands.discover_here import discover_here
from tmdb_scrapy.commands.download_here import download_here
from tmdb_scrapy.kinds import KINDS, Kind
from tmdb_scrapy.queue import IdQueue
from tmdb_scrapy.queue.freshness import note_seeding
from tmdb_scrapy.sources import days
from tmdb_scrapy.sources.export import ExportError
from tmdb_scrapy.sources.seeded import DISCOVER, EXPORT, SeededRecord, Selection
from tmdb_scrapy.watch.bars import count_bar

_DEFAULTS = ", ".join(f"{k.seed_limit.key} of {k.name}" for k in KINDS.values() if k.seed_limit)


class Command(KindsCommand, ScrapyCommand):
    """Idempotent: only IDs that were never seen are queued; a newer export adds what is new."""

    def short_desc(self) -> str:
        return "Queue the IDs of TMDb's daily export, most popular first"

    def add_options(self, parser: argparse.ArgumentParser) -> None:
        super().add_options(parser)
        parser.add_argument(
            "--source",
            choices=[EXPORT, DISCOVER],
            default=EXPORT,
            help="discover finds what earned most, in some thousand requests (movies of MIN_REVENUE or more)",
        )
        parser.add_argument(
            "--date",
            type=arguments.date,
            metavar="YYYY-MM-DD",
            help="the export of this day (default: yesterday's, or the newest of the 7 days before)",
        )
        # Not --file: Scrapy's own --logfile and --pidfile would make its abbreviations ambiguous.
        parser.add_argument("--file", type=Path, metavar="PATH", help="a local export, gzipped or not")
        parser.add_argument(
            "--limit",
            type=arguments.count,
            metavar="N",
            help=f"only the N most popular (default: {_DEFAULTS})",
        )
        parser.add_argument(
            "--min-popularity", type=arguments.popularity, metavar="X", help="only from this popularity"
        )
        parser.add_argument(
            "--no-video", action="store_true", help="leave out those marked as video (movies have such)"
        )

    def execute(self, opts: argparse.Namespace) -> None:
        self._refuse_what_does_not_fit(opts)
        super().execute(opts)

    def execute_for(self, kind: Kind, opts: argparse.Namespace) -> None:
        # Scrapy imports every command to run one: what needs numpy is imported where it is needed.
        from tmdb_scrapy.sources.selected import select

        seeded = SeededRecord(self.config.data_dir / "exports", kind)
        anew = not self.ask(kind, IdQueue.snapshot).total
        if anew:
            seeded.forget()
        try:
            selection = self._selection(kind, opts, seeded)
            selected = select(selection, kind)
        except ExportError as error:
            raise CommandFailed(str(error)) from None
        if selected.export.lost:
            print(f"lost {selected.export} of {selection.file}")
        if not selected.ids:
            raise CommandFailed(f"{selection.file} has no ID that was asked for; nothing was seeded")
        seeded.begin(selection)
        self.ask(kind, lambda queue: note_seeding(queue, selection.words, days.today(), anew))
        added = self.ask(kind, lambda queue: _seed(queue, selected.ids))
        seeded.finish(selection)
        known = len(selected.ids) - added
        print(
            f"queued {kind.count(added)} from {Path(selection.file).name}"
            + (f"; {known:,} were known already" if known else "")
        )

    def _refuse_what_does_not_fit(self, opts: argparse.Namespace) -> None:
        problems = []
        if opts.file and opts.date:
            problems.append("give --file or --date, not both")
        if opts.file and len(opts.kinds) > 1:
            problems.append("--file is an export of one kind: say one")
        chosen = (opts.date, opts.file, opts.limit, opts.min_popularity, opts.no_video or None)
        if opts.source == DISCOVER and any(each is not None for each in chosen):
            problems.append("--source discover has no export: leave --date, --file, --limit and the like out")
        for kind in opts.kinds:
            if opts.source == DISCOVER and not kind.discovered_from:
                problems.append(f"--source discover is not for {kind.name}: TMDb cannot list them by revenue")
            if opts.no_video and not kind.has_video:
                problems.append(f"--no-video is not for {kind.name}: no video is among them")
            if opts.min_popularity is not None and not kind.has_popularity:
                problems.append(f"--min-popularity is not for {kind.name}: their export has no popularity")
        if problems:
            raise CommandFailed("; ".join(problems), BAD_USE)

    def _selection(self, kind: Kind, opts: argparse.Namespace, seeded: SeededRecord) -> Selection:
        if opts.source == DISCOVER:
            discover_here(self, kind, seeded.discovered)
            return Selection(file=str(seeded.discovered.resolve()), source=DISCOVER)
        default = self.config.of_kinds[kind.seed_limit.key] if kind.seed_limit else 0
        file = opts.file or self._download(kind, opts)
        return Selection(
            file=str(file.resolve()),
            limit=default if opts.limit is None else opts.limit,
            min_popularity=opts.min_popularity,
            no_video=opts.no_video,
        )

    def _download(self, kind: Kind, opts: argparse.Namespace) -> Path:
        days_back = 0 if opts.date else days.DAYS_BACK
        return download_here(self, kind, opts.date or days.yesterday(), days_back)


async def _seed(queue: IdQueue, ids: Sequence[int]) -> int:
    with count_bar("seeding", len(ids)) as bar:
        return await queue.seed(ids, bar.advance)
