"""Finding and downloading the daily ID export: published by 08:00 UTC, kept for three months, no key needed.

https://developer.themoviedb.org/docs/daily-id-exports
"""

from __future__ import annotations

import asyncio
import datetime
import os
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

from pyreqwest.client import ClientBuilder
from pyreqwest.exceptions import PyreqwestError
from pyreqwest.response import Response

from tmdb_scrapy import privacy
from tmdb_scrapy.kinds import Kind
from tmdb_scrapy.network import Proxies, Untrusted, prepared, translated
from tmdb_scrapy.sources.days import file_name
from tmdb_scrapy.sources.export import CHUNK_BYTES, ExportError, is_gzip, size_of

SILENT_S = 120.0
"""How long the server may send nothing."""
NOT_PUBLISHED = {403, 404}

Reporter = Callable[[int, int | None], None]
"""Called with the bytes that came so far, and how many there will be if that is known."""


class _Unusable(Exception):
    """The server has no usable export of a day; the text says what it has instead."""


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
