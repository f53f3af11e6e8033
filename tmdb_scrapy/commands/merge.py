"""``scrapy merge KIND…``: the parts become one file."""

from __future__ import annotations

import argparse
from collections.abc import Mapping
from functools import partial
from typing import TYPE_CHECKING

from scrapy.commands import ScrapyCommand

from tmdb_scrapy.commands.base import CommandFailed, KindsCommand, complain, plural
from tmdb_scrapy.kinds import Kind
from tmdb_scrapy.queue import IdQueue, State
from tmdb_scrapy.queue.recorded_settings import differences, present, way_out
from tmdb_scrapy.records import collected
from tmdb_scrapy.records.merge_lock import MergeIsRunning
from tmdb_scrapy.watch.bars import bytes_bar

if TYPE_CHECKING:
    from tmdb_scrapy.records.merge import Merged

NAMED_IDS = 10


class Command(KindsCommand, ScrapyCommand):
    """Writes DATA_DIR/KIND.jsonl, a line for each kept ID; a line that no outcome speaks against stays. May
    be run at any time."""

    def short_desc(self) -> str:
        return "Merge the parts into one JSON-lines file"

    def add_options(self, parser: argparse.ArgumentParser) -> None:
        super().add_options(parser)
        parser.add_argument(
            "--prune",
            action="store_true",
            help="then remove parts that are wholly in the merged file and that nobody writes",
        )
        parser.add_argument(
            "--drop",
            action="store_true",
            help="leave out the lines of all IDs that are not kept, queued, failed and unknown ones too",
        )
        parser.add_argument(
            "--check",
            action="store_true",
            help="compare every line of the earlier file with its checksum, as audit does",
        )

    def execute_for(self, kind: Kind, opts: argparse.Namespace) -> None:
        from tmdb_scrapy.records.merge import merge

        picture = self.ask(kind, IdQueue.picture)
        if not opts.drop:
            self._refuse_other_settings(kind, picture.settings)
        ledger = picture.ledger.content
        if not ledger.strip(b"\0"):
            raise CommandFailed(
                f"Redis knows of no {kind.name}: nothing was merged, and an earlier file is untouched. "
                f"Check REDIS_URL, or seed first: scrapy seed {kind.name}"
            )
        try:
            with bytes_bar(f"merging {kind.name}") as bar:
                result = merge(
                    self.config.data_dir,
                    kind,
                    ledger,
                    bar.advance,
                    drop=opts.drop,
                    check=opts.check,
                )
        except (OSError, MergeIsRunning) as error:
            raise CommandFailed(f"merging failed: {error}; the earlier file, if any, is untouched") from None
        _say(result, kind)
        self._queue_spoilt(kind, result.spoilt)
        if result.without_line:
            raise CommandFailed(
                f"{result.without_line:,} kept IDs have no line in the parts here: `make collect` brings the "
                f"parts of other machines; `scrapy retry {kind.name} --lost` fetches again what is gone"
            )
        if opts.prune:
            self._prune(kind, ledger)

    def _refuse_other_settings(self, kind: Kind, recorded: Mapping[str, str]) -> None:
        """What another filter dropped, or another server lacks, speaks against no line of this file. Raises
        `CommandFailed`."""
        now = present(self.config, kind)
        if told := differences(recorded, now, kind):
            raise CommandFailed(
                f"the outcomes in Redis were reached under other settings: {told}. Nothing was merged, an "
                f"earlier file is untouched. Check REDIS_URL, set that back, or run: "
                f"{way_out(recorded, now, kind)}; `scrapy merge {kind.name} --drop` goes by those outcomes"
            )

    def _queue_spoilt(self, kind: Kind, ids: list[int]) -> None:
        """Raises `CommandFailed` when there are any."""
        if not ids:
            return
        queued = sum(
            self.ask(kind, partial(IdQueue.requeue, ids=ids, leaving=state))
            for state in (State.KEPT, State.STALE)
        )
        collected.forget(self.config.data_dir, kind, ids)
        more = f" and {len(ids) - NAMED_IDS:,} more" if len(ids) > NAMED_IDS else ""
        raise CommandFailed(
            f"not as they were written, so a disk or a copy is at fault: the newest lines of ID "
            f"{', '.join(map(str, ids[:NAMED_IDS]))}{more}. They were left out, what the earlier file had "
            f"of these IDs stays; queued again: {kind.count(queued)}. "
            f"Run: make crawl KIND={kind.name} (or make launch), then scrapy merge {kind.name}"
        )

    def _prune(self, kind: Kind, ledger: bytes) -> None:
        """Raises `CommandFailed`."""
        from tmdb_scrapy.records.prune import prune

        workers = self.ask(kind, lambda queue: queue.heartbeats.living())
        try:
            removed = prune(self.config.data_dir, kind, ledger, {worker.name for worker in workers})
        except (OSError, MergeIsRunning) as error:
            raise CommandFailed(f"the file is merged, but pruning failed: {error}") from None
        print(f"removed {plural(len(removed), 'parts')}: what was in them is in the merged file")


def _say(result: Merged, kind: Kind) -> None:
    print(
        f"{result.path}: {plural(result.written, 'lines')} from {plural(result.parts, 'parts')} "
        f"({result.added:,} added, {result.updated:,} updated, {result.removed:,} removed; "
        f"{result.duplicates:,} fetched twice, {result.unsettled:,} not settled, {result.torn:,} torn)"
    )
    if result.not_kept:
        complain(
            f"{plural(result.not_kept, 'lines')} of {kind.name} that are queued, failed or unknown to Redis "
            f"stay in the file; `scrapy merge {kind.name} --drop` leaves them out"
        )
    if result.elsewhere:
        print(
            f"{kind.count(result.elsewhere)} kept since the last complete collection: their lines may be "
            "on other machines: make collect brings them"
        )
