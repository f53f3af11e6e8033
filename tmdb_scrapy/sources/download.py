"""Finding and downloading the daily ID export: published by 08:00 UTC, kept for three months, no key needed.

https://developer.themoviedb.org/docs/daily-id-exports
"""

from __future__ import annotations

import datetime
import http.client
import os
import ssl
import urllib.error
import urllib.request
from collections.abc import Callable
from pathlib import Path

from tmdb_scrapy.kinds import Kind
from tmdb_scrapy.sources.export import CHUNK_BYTES, ExportError, is_gzip, size_of

DAYS_BACK = 7
TIMEOUT_S = 120.0
NOT_PUBLISHED = {403, 404}

NETWORK_FAULTS = (
    urllib.error.URLError,
    http.client.HTTPException,
    ConnectionError,
    TimeoutError,
    ssl.SSLError,
)
"""What ends a download by the network's fault; other kinds of `OSError` are the disk's."""

Reporter = Callable[[int, int | None], None]
"""Called with the bytes that came so far, and how many there will be if that is known."""


class _Unusable(Exception):
    """The server has no usable export of a day; the text says what it has instead."""


def yesterday() -> datetime.date:
    """In UTC, as the exports are dated: the newest day that is there at any hour."""
    return datetime.datetime.now(datetime.UTC).date() - datetime.timedelta(days=1)


def file_name(kind: Kind, day: datetime.date) -> str:
    """The export's name on the server and on disk."""
    return f"{kind.export}_{day:%m_%d_%Y}.json.gz"


def fetch_newest(
    kind: Kind, base_url: str, directory: Path, newest: datetime.date, days_back: int, report: Reporter
) -> Path:
    """The export of `newest`, or of the newest of `days_back` days before it that can be used.

    Downloads into `directory` once; a file that is there and whole is used as it is. A broken download is
    deleted and fetched once more. Raises `ExportError`, and `OSError` when the disk refuses.
    """
    tried = []
    for age in range(days_back + 1):
        name = file_name(kind, newest - datetime.timedelta(days=age))
        path = directory / name
        if path.exists() and size_of(path):
            return path
        path.unlink(missing_ok=True)
        try:
            _fetch(f"{base_url}/{name}", path, report)
        except _Unusable as reason:
            tried.append(f"{name}: {reason}")
        else:
            return path
    raise ExportError(
        f"no export is published at {base_url} that can be used ({tried[0]}"
        + (f" … {tried[-1]}" if len(tried) > 1 else "")
        + "); nothing was seeded. Give another day with --date, or check TMDB_EXPORT_URL"
    )


def _fetch(url: str, path: Path, report: Reporter) -> None:
    """Download until it is whole, twice at most. Raises `_Unusable` and `ExportError`."""
    for _ in range(2):
        _download(url, path, report)
        size, zipped = size_of(path), is_gzip(path)
        if size and zipped:
            return
        path.unlink()
    if size == 0:
        raise _Unusable("empty")
    if not zipped:
        raise _Unusable("no gzip file, perhaps an error page")
    raise ExportError(
        f"{url} came damaged twice (truncated or corrupt gzip); nothing was seeded. "
        "Try again later, or take another day with --date"
    )


def _download(url: str, path: Path, report: Reporter) -> None:
    """Download into `path`. Raises `_Unusable` when the server has no such file."""
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(f"{path.name}.{os.getpid()}.partial")
    context = ssl.create_default_context() if url.startswith("https:") else None
    try:
        with (
            urllib.request.urlopen(url, timeout=TIMEOUT_S, context=context) as response,
            partial.open("wb") as file,
        ):
            length = response.headers.get("Content-Length")
            total = int(length) if length and length.isdigit() else None
            while chunk := response.read(CHUNK_BYTES):
                file.write(chunk)
                report(file.tell(), total)
        partial.replace(path)
    except urllib.error.HTTPError as error:
        told = "not published" if error.code in NOT_PUBLISHED else f"HTTP {error.code}"
        raise _Unusable(told) from error
    except NETWORK_FAULTS as error:
        reason = getattr(error, "reason", error)
        raise ExportError(
            f"{url} cannot be downloaded: {reason}; nothing was seeded. Check the network"
        ) from error
    finally:
        partial.unlink(missing_ok=True)
