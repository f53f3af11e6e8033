"""Downloading an export with a bar, which `seed` and `refresh` do."""

from __future__ import annotations

import datetime
from pathlib import Path

from rich.progress import TaskID

from tmdb_scrapy.commands.base import TmdbCommand
from tmdb_scrapy.kinds import Kind
from tmdb_scrapy.network import Proxies
from tmdb_scrapy.sources import download
from tmdb_scrapy.watch.bars import bytes_bar


def download_here(command: TmdbCommand, kind: Kind, day: datetime.date, days_back: int) -> Path:
    """The export of `day`, or the newest of so many days before it. Raises `ExportError`."""
    config = command.config
    with bytes_bar(f"export of {kind.name}") as bar:
        return download.fetch_newest(
            kind,
            config.tmdb_export_url,
            config.data_dir / "exports",
            day,
            days_back,
            lambda done, total: bar.update(TaskID(0), completed=done, total=total),
            Proxies.of(config),
        )
