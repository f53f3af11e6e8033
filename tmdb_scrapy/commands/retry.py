"""``scrapy retry movies|people``: failed IDs go back into the queue."""

from __future__ import annotations

import argparse

from tmdb_scrapy.command import TmdbCommand, plural
from tmdb_scrapy.merge import identified_lines
from tmdb_scrapy.parts import merged_file
from tmdb_scrapy.queue import IdQueue, State


class Command(TmdbCommand):
    """With --lost: kept IDs whose line is in no merged file, because a machine and its parts are gone."""

    def short_desc(self) -> str:
        return "Queue failed IDs again"

    def add_options(self, parser: argparse.ArgumentParser) -> None:
        super().add_options(parser)
        parser.add_argument(
            "--lost",
            action="store_true",
            help="queue kept IDs again that have no line in the merged file (run merge and collect first)",
        )

    def execute(self, opts: argparse.Namespace) -> None:
        state = State.KEPT if opts.lost else State.FAILED
        ledger = self.ask(opts.kind, IdQueue.ledger)
        ids = _ids_in(ledger, state)
        if opts.lost:
            file = merged_file(self.config.data_dir, opts.kind)
            present = {tmdb_id for _, tmdb_id in identified_lines(file)} if file.exists() else set()
            ids = [tmdb_id for tmdb_id in ids if tmdb_id not in present]
        queued = self.ask(opts.kind, lambda queue: queue.requeue(ids, state))
        print(f"queued {plural(queued, opts.kind)} again")


def _ids_in(ledger: bytes, state: State) -> list[int]:
    ids = []
    position = ledger.find(state.value)
    while position >= 0:
        ids.append(position)
        position = ledger.find(state.value, position + 1)
    return ids
