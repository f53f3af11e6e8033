"""``scrapy pause KIND…``: the whole fleet stops leasing, and stays."""

from __future__ import annotations

import argparse

from scrapy.commands import ScrapyCommand

from tmdb_scrapy.commands.base import KindsCommand
from tmdb_scrapy.kinds import Kind
from tmdb_scrapy.queue import IdQueue


class Command(KindsCommand, ScrapyCommand):
    """Workers of a paused kind finish the IDs that they hold, and wait. So do those that start meanwhile."""

    def short_desc(self) -> str:
        return "Have all workers of a kind wait, on every machine"

    def execute_for(self, kind: Kind, opts: argparse.Namespace) -> None:
        said = "paused" if self.ask(kind, IdQueue.pause) else "paused already"
        print(f"{kind.name}: {said}; workers finish what they hold. To go on: scrapy resume {kind.name}")
