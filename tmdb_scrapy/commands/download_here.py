"""Downloading an export with a bar, which `seed` and `refresh` do."""

from __future__ import annotations

import datetime
from pathlib import Path

from tmdb_scrapy.commands.base import TmdbCommand
from tmdb_scrapy.kinds import Kind
from tmdb_scrapy.watch.bars import bytes_bar


def download_here(command: TmdbCommand, kind: Kind, day: datetime.date, days_back: int) -> Path:
    """The export of `day`, or the newest of so many days before it. Raises `ExportError`."""
    # Scrapy imports every command to run one: the HTTP client is imported where it is used.
    from tmdb_scrapy.network import Proxies
    from tmdb_scrapy.sources.download import fetch_newest

    config = command.config
    with bytes_bar(f"export of {kind.name}") as bar:
        return fetch_newest(
            kind,
            config.tmdb_export_url,
            config.data_dir / "exports",
            day,
            days_back,
            bar.reach,
            Proxies.of(config),
        )
