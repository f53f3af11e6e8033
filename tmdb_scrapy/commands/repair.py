"""``scrapy repair KIND…``: counts and queue are rebuilt from the ledger."""

from __future__ import annotations

import argparse

from scrapy.commands import ScrapyCommand

from tmdb_scrapy.commands.base import CommandFailed, KindsCommand, plural
from tmdb_scrapy.kinds import Kind
from tmdb_scrapy.queue import IdQueue
from tmdb_scrapy.queue.repair import repair


class Command(KindsCommand, ScrapyCommand):
    """For keys in Redis that something else has changed, as `scrapy audit` finds out. Changes no outcome;
    twice is as good as once."""

    def short_desc(self) -> str:
        return "Rebuild the queue and its counts from the ledger"

    def execute_for(self, kind: Kind, opts: argparse.Namespace) -> None:
        still = f"workers still fetch {kind.name}"
        self.ask(kind, lambda queue: queue.heartbeats.refuse_any(CommandFailed, still))
        if not self.ask(kind, IdQueue.ledger).strip(b"\0"):
            raise CommandFailed(
                f"Redis has no ledger of {kind.name} to rebuild anything from: restore its data, or seed: "
                f"scrapy seed {kind.name}"
            )
        done = self.ask(kind, repair)
        if not any(done):
            print(f"{kind.name}: nothing was wrong")
            return
        print(
            f"{kind.name}: {plural(done.counts, 'counts')} corrected; entries of the queue: {done.removed:,} "
            f"removed, {done.added:,} added; {kind.count(done.unknown)} without a state queued. "
            f"Run: scrapy audit {kind.name}"
        )
