"""``scrapy resume KIND…``: the fleet goes on after `scrapy pause`."""

from __future__ import annotations

import argparse

from scrapy.commands import ScrapyCommand

from tmdb_scrapy.commands.base import KindsCommand
from tmdb_scrapy.kinds import Kind
from tmdb_scrapy.queue import IdQueue


class Command(KindsCommand, ScrapyCommand):
    """Workers that wait go on within a second."""

    def short_desc(self) -> str:
        return "End a pause"

    def execute_for(self, kind: Kind, opts: argparse.Namespace) -> None:
        print(f"{kind.name}: " + ("resumed" if self.ask(kind, IdQueue.resume) else "was not paused"))
