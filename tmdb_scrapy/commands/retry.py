"""``scrapy retry KIND…``: failed IDs go back into the queue."""

from __future__ import annotations

import argparse

from scrapy.commands import ScrapyCommand

from tmdb_scrapy.commands.base import CommandFailed, KindsCommand
from tmdb_scrapy.kinds import Kind
from tmdb_scrapy.queue import IdQueue, State
from tmdb_scrapy.records import collected
from tmdb_scrapy.records.earlier import ids_of_lines
from tmdb_scrapy.records.index import index_of
from tmdb_scrapy.records.part import merged_file, parts_directory


class Command(KindsCommand, ScrapyCommand):
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

    def execute_for(self, kind: Kind, opts: argparse.Namespace) -> None:
        state = State.KEPT if opts.lost else State.FAILED
        ledger = self.ask(kind, IdQueue.ledger)
        ids = _ids_in(ledger, state)
        if opts.lost:
            present = self._merged(kind)
            expected = collected.expected(self.config.data_dir, kind, ledger)
            ids = [tmdb_id for tmdb_id in _ids_in(expected, state) if tmdb_id not in present]
            collected.forget(self.config.data_dir, kind, ids)
        queued = self.ask(kind, lambda queue: queue.requeue(ids, state))
        print(f"queued {kind.count(queued)} again")

    def _merged(self, kind: Kind) -> set[int | None]:
        """The IDs in the merged file. Raises `CommandFailed` when there are lines that it cannot have."""
        file = merged_file(self.config.data_dir, kind)
        parts = parts_directory(self.config.data_dir, kind).glob("*.jsonl")
        # A merge that found nothing new writes the index only.
        merged_at = max((each.stat().st_mtime for each in (file, index_of(file)) if each.exists()), default=0)
        if not file.exists() or any(part.stat().st_ctime > merged_at for part in parts):
            raise CommandFailed(
                f"{file} does not have all that the parts have, so what is lost cannot be told. "
                f"Run first: scrapy merge {kind.name}"
            )
        return set(ids_of_lines(file))


def _ids_in(ledger: bytes, state: State) -> list[int]:
    ids = []
    position = ledger.find(state.value)
    while position >= 0:
        ids.append(position)
        position = ledger.find(state.value, position + 1)
    return ids
