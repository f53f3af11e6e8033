"""``scrapy merge KIND…``: the parts become one file."""

from __future__ import annotations

import argparse

from rich.progress import TaskID
from scrapy.commands import ScrapyCommand

from tmdb_scrapy.commands.base import CommandFailed, KindsCommand, plural
from tmdb_scrapy.kinds import Kind
from tmdb_scrapy.queue import IdQueue
from tmdb_scrapy.records.merge import merge
from tmdb_scrapy.records.part import parts_directory
from tmdb_scrapy.watch.bars import bytes_bar


class Command(KindsCommand, ScrapyCommand):
    """Writes DATA_DIR/KIND.jsonl with exactly the kept IDs, one line each. May be run at any time."""

    def short_desc(self) -> str:
        return "Merge the parts into one JSON-lines file"

    def execute_for(self, kind: Kind, opts: argparse.Namespace) -> None:
        ledger = self.ask(kind, IdQueue.ledger)
        if not ledger.strip(b"\0"):
            raise CommandFailed(
                f"Redis knows of no {kind.name}: nothing was merged, and an earlier file is untouched. "
                f"Check REDIS_URL, or seed first: scrapy seed {kind.name}"
            )
        parts = list(parts_directory(self.config.data_dir, kind).glob("*.jsonl"))
        total = sum(part.stat().st_size for part in parts)
        try:
            with bytes_bar(f"merging {len(parts)} parts", total) as bar:
                result = merge(self.config.data_dir, kind, ledger, lambda n: bar.advance(TaskID(0), n))
        except OSError as error:
            raise CommandFailed(f"merging failed: {error}; the earlier file, if any, is untouched") from None
        print(
            f"{result.path}: {plural(result.written, 'lines')} from {plural(len(parts), 'parts')} "
            f"({result.duplicates:,} fetched twice, {result.unsettled:,} not settled, {result.torn:,} torn)"
        )
        if result.not_kept_any_more:
            print(
                f"left out {plural(result.not_kept_any_more, 'lines')} of the earlier file: not kept any more"
            )
        if result.elsewhere:
            print(
                f"{kind.count(result.elsewhere)} kept since the last complete collection: their lines may be "
                "on other machines: make collect brings them"
            )
        if result.without_line:
            raise CommandFailed(
                f"{result.without_line:,} kept IDs have no line in the parts here: `make collect` brings the "
                f"parts of other machines; `scrapy retry {kind.name} --lost` fetches again what is gone"
            )
