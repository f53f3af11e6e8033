"""Finding and downloading the daily ID export: published by 08:00 UTC, kept for three months, no key needed.

https://developer.themoviedb.org/docs/daily-id-exports
"""

from __future__ import annotations

import asyncio
import contextlib
import datetime
import os
import re
import time
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

from pyreqwest.client import ClientBuilder
from pyreqwest.exceptions import PyreqwestError
from pyreqwest.response import Response

from tmdb_scrapy import privacy
from tmdb_scrapy.kinds import Kind
from tmdb_scrapy.network import Proxies, Untrusted, prepared, translated
from tmdb_scrapy.sources.export import CHUNK_BYTES, ExportError, is_gzip, size_of

DAYS_BACK = 7
SILENT_S = 120.0
"""How long the server may send nothing."""
FINISHED_WITHIN_S = 24 * 3600.0
NOT_PUBLISHED = {403, 404}

Reporter = Callable[[int, int | None], None]
"""Called with the bytes that came so far, and how many there will be if that is known."""


class _Unusable(Exception):
    """The server has no usable export of a day; the text says what it has instead."""


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


def fetch_newest(
    kind: Kind,
    base_url: str,
    directory: Path,
    newest: datetime.date,
    days_back: int,
    report: Reporter,
    proxies: Proxies,
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
            _fetch(f"{base_url}/{name}", path, report, proxies)
        except _Unusable as reason:
            tried.append(f"{name}: {reason}")
        else:
            return path
    raise ExportError(
        f"no export is published at {base_url} that can be used ({tried[0]}"
        + (f" … {tried[-1]}" if len(tried) > 1 else "")
        + "); nothing was seeded. Give another day with --date, or check TMDB_EXPORT_URL"
    )


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


def _fetch(url: str, path: Path, report: Reporter, proxies: Proxies) -> None:
    """Download until it is whole, twice at most. Raises `_Unusable` and `ExportError`."""
    for _ in range(2):
        asyncio.run(_download(url, path, report, proxies))
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


async def _download(url: str, path: Path, report: Reporter, proxies: Proxies) -> None:
    """Download into `path`. Raises `_Unusable` when the server has no such file."""
    privacy.directory(path.parent)
    partial = path.with_name(f"{path.name}.{os.getpid()}.partial")
    # A mirror may send on to another; there is no key that could go along.
    builder = prepared(ClientBuilder(), proxies).follow_redirects(True)
    try:
        async with (
            builder.read_timeout(timedelta(seconds=SILENT_S)).build() as client,
            client.get(url).build_streamed() as response,
        ):
            if response.status != 200:
                told = "not published" if response.status in NOT_PUBLISHED else f"HTTP {response.status}"
                raise _Unusable(told)
            await _save(response, partial, report)
        partial.replace(path)
    except PyreqwestError as error:
        raise ExportError(
            f"{url} cannot be downloaded: {_explained(translated(error))}; nothing was seeded"
        ) from None
    finally:
        partial.unlink(missing_ok=True)


async def _save(response: Response, path: Path, report: Reporter) -> None:
    length = response.get_header("content-length")
    total = int(length) if length and length.isdecimal() else None
    with path.open("wb") as file:
        while chunk := await response.body_reader.read(CHUNK_BYTES):
            file.write(chunk)
            report(file.tell(), total)


def _explained(error: Exception) -> str:
    if isinstance(error, Untrusted):
        return (
            f"the server's certificate is not trusted here ({error}). Name your own authority's in "
            "SSL_CERT_FILE; else this network diverts requests"
        )
    if isinstance(error, ValueError):
        return f"{error}. Check TMDB_EXPORT_URL"
    return f"{error}. Check the network, and HTTPS_PROXY if it needs one"
