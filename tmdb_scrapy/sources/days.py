"""The days of the daily ID export: which there are, how their files are called, which files stay."""

from __future__ import annotations

import contextlib
import datetime
import re
import time
from pathlib import Path

from tmdb_scrapy.kinds import Kind

DAYS_BACK = 7
"""So many days before the newest are tried, when that has no export that can be used."""
FINISHED_WITHIN_S = 24 * 3600.0


def today() -> datetime.date:
    """In UTC, as TMDb counts days."""
    return datetime.datetime.now(datetime.UTC).date()


def yesterday() -> datetime.date:
    """The newest day whose export is there at any hour."""
    return today() - datetime.timedelta(days=1)


def file_name(kind: Kind, day: datetime.date) -> str:
    """The export's name on the server and on disk."""
    return f"{kind.export}_{day:%m_%d_%Y}.json.gz"


def day_of(path: Path) -> datetime.date | None:
    """The day in an export's name; None in another name."""
    dated = re.search(r"_(\d{2})_(\d{2})_(\d{4})\.json", path.name)
    try:
        return datetime.date(*(int(dated[part]) for part in (3, 1, 2))) if dated else None
    except ValueError:
        return None


def keep_only(file: Path, kind: Kind) -> None:
    """Remove the other exports of a kind that lie beside `file`, and what was begun there more than a day ago
    and never finished: whoever wrote it was killed. Raises `OSError`."""
    for path in file.parent.glob(f"{kind.export}_??_??_????.json.gz"):
        if path != file:
            path.unlink(missing_ok=True)
    for path in file.parent.glob("*.partial"):
        with contextlib.suppress(FileNotFoundError):
            if path.stat().st_mtime < time.time() - FINISHED_WITHIN_S:
                path.unlink()
