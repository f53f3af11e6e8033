"""Asking discover, which `seed` and `refresh` do."""

from __future__ import annotations

import asyncio
from pathlib import Path

from tmdb_scrapy.commands.base import BAD_USE, CommandFailed, TmdbCommand
from tmdb_scrapy.commands.crawl import HOW_TO_GET_A_KEY
from tmdb_scrapy.kinds import Kind
from tmdb_scrapy.sources import days
from tmdb_scrapy.sources.changes import FeedError
from tmdb_scrapy.sources.discover import discover, write_discovered


def discover_here(command: TmdbCommand, kind: Kind, file: Path) -> list[int]:
    """Find what has the revenue, and add it to `file`; returns all IDs in it. Raises `CommandFailed`."""
    # Scrapy imports every command to run one: what asks TMDb is imported where it asks.
    from tmdb_scrapy.downloader.asking import Asking, NotAnswered

    least = command.config.of_kinds[kind.discovered_from]
    if not command.config.tmdb_api_key:
        raise CommandFailed(HOW_TO_GET_A_KEY, BAD_USE)
    if least < 1:
        raise CommandFailed(f"{kind.discovered_from}={least} leaves nothing out: seed by the export", BAD_USE)

    async def discovered() -> tuple[list[int], int]:
        assert command.settings is not None
        async with Asking(command.config, command.settings) as asking:
            found = await discover(asking.ask, asking.look, kind, least, days.today().year)
            return found, asking.sent

    try:
        found, sent = asyncio.run(discovered())
    except (FeedError, NotAnswered) as error:
        raise CommandFailed(str(error)) from None
    print(f"discover {kind.count(len(found))} of {kind.discovered_from} or more, by {sent:,} requests")
    return write_discovered(file, found)
