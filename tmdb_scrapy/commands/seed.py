"""``scrapy seed movies|people``: the IDs of the daily export go into the queue."""

from __future__ import annotations

import argparse
import datetime
from pathlib import Path

from rich.progress import TaskID

from tmdb_scrapy import exports
from tmdb_scrapy.command import BAD_USE, CommandFailed, TmdbCommand, plural
from tmdb_scrapy.progress import bytes_bar, count_bar
from tmdb_scrapy.queue import IdQueue


class Command(TmdbCommand):
    """Idempotent: only IDs that were never seen are queued; a newer export adds what is new."""

    def short_desc(self) -> str:
        return "Queue the IDs of TMDb's daily export, most popular first"

    def add_options(self, parser: argparse.ArgumentParser) -> None:
        super().add_options(parser)
        parser.add_argument(
            "--date",
            type=datetime.date.fromisoformat,
            metavar="YYYY-MM-DD",
            help="the export of this day (default: yesterday's, or the newest of the 7 days before)",
        )
        # Not --file: Scrapy's own --logfile and --pidfile would make its abbreviations ambiguous.
        parser.add_argument("--file", type=Path, metavar="PATH", help="a local export, .json or .json.gz")
        parser.add_argument(
            "--limit", type=int, metavar="N", help="only the N most popular (people: default POPULAR_PEOPLE)"
        )
        parser.add_argument(
            "--min-popularity", type=float, default=0.0, metavar="X", help="only from this popularity"
        )
        parser.add_argument(
            "--no-video", action="store_true", help="movies only: leave out those marked as video"
        )

    def execute(self, opts: argparse.Namespace) -> None:
        selection = self._selection(opts)
        try:
            read = exports.read_selection(selection)
        except exports.ExportError as error:
            raise CommandFailed(str(error)) from None
        if read.malformed:
            print(
                f"skipped {plural(read.malformed, 'malformed lines')} of {read.lines:,} "
                f"(the first is line {read.first_malformed})"
            )
        if not read.ids:
            raise CommandFailed(f"{selection.file} has no ID that was asked for; nothing was seeded")
        directory = self.config.data_dir / "exports"
        if not self.ask(opts.kind, IdQueue.progress).total:
            exports.forget_selections(directory, opts.kind)
        exports.begin_selection(directory, opts.kind, selection)
        added = self.ask(opts.kind, lambda queue: _seed(queue, read.ids))
        exports.record_selection(directory, opts.kind, selection)
        known = len(read.ids) - added
        print(
            f"queued {plural(added, opts.kind)} from {Path(selection.file).name}"
            + (f"; {known:,} were known already" if known else "")
        )

    def _selection(self, opts: argparse.Namespace) -> exports.Selection:
        problems = []
        if opts.file and opts.date:
            problems.append("give --file or --date, not both")
        if opts.limit is not None and opts.limit < 1:
            problems.append(f"--limit {opts.limit}: must be 1 or more")
        if opts.no_video and opts.kind != "movies":
            problems.append("--no-video is for movies")
        if problems:
            raise CommandFailed("; ".join(problems), BAD_USE)
        default = self.config.popular_people if opts.kind == "people" else 0
        try:
            file = opts.file or self._download(opts)
        except exports.ExportError as error:
            raise CommandFailed(str(error)) from None
        return exports.Selection(
            file=str(file.resolve()),
            limit=default if opts.limit is None else opts.limit,
            min_popularity=opts.min_popularity,
            no_video=opts.no_video,
        )

    def _download(self, opts: argparse.Namespace) -> Path:
        day = opts.date or exports.yesterday()
        days_back = 0 if opts.date else exports.DAYS_BACK
        directory = self.config.data_dir / "exports"
        with bytes_bar(f"export of {opts.kind}") as bar:
            return exports.fetch_newest(
                opts.kind,
                self.config.tmdb_export_url,
                directory,
                day,
                days_back,
                lambda done, total: bar.update(TaskID(0), completed=done, total=total),
            )


async def _seed(queue: IdQueue, ids: list[int]) -> int:
    with count_bar("seeding", len(ids)) as bar:
        return await queue.seed(ids, lambda count: bar.advance(TaskID(0), count))
