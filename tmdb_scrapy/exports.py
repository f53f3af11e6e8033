"""The daily ID export: find, download, check, read.

https://developer.themoviedb.org/docs/daily-id-exports: one gzipped file a kind and day, one JSON object a
line, published by 08:00 UTC and kept for three months; no key needed.
"""

from __future__ import annotations

import datetime
import gzip
import heapq
import http.client
import operator
import os
import ssl
import urllib.error
import urllib.request
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO, cast

import msgspec
from isal import igzip, isal_zlib

NAMES = {"movies": "movie_ids", "people": "person_ids"}
DAYS_BACK = 7
TIMEOUT_S = 120.0
CHUNK_BYTES = 1 << 20
HIGHEST_ID = (1 << 28) - 1
"""The ledger has a byte for each ID up to the highest: 256 MB would be a mistake, not an export."""

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


class ExportError(Exception):
    """An export cannot be had or read; the text says which, why, and what to do next."""


class Selection(msgspec.Struct, frozen=True, kw_only=True):
    """Which IDs of which export file were seeded; written down so that an audit can repeat it."""

    file: str
    limit: int = 0
    """So many of the most popular; 0 for all."""
    min_popularity: float = 0.0
    no_video: bool = False


class _Line(msgspec.Struct, gc=False):
    id: int
    popularity: float = 0.0
    video: bool = False


class _OddLine(msgspec.Struct):
    """A line with a null where it might be."""

    id: int
    popularity: float | None = None
    video: bool | None = None


_decode_odd = msgspec.json.Decoder(_OddLine).decode


@dataclass(slots=True)
class ReadExport:
    """The IDs of an export, most popular first, and what was wrong with it."""

    ids: list[int]
    lines: int = 0
    malformed: int = 0
    first_malformed: int = 0
    """Line number, from 1."""


def yesterday() -> datetime.date:
    """In UTC, as the exports are dated: the newest day that is there at any hour."""
    return datetime.datetime.now(datetime.UTC).date() - datetime.timedelta(days=1)


def file_name(kind: str, day: datetime.date) -> str:
    return f"{NAMES[kind]}_{day:%m_%d_%Y}.json.gz"


def fetch_newest(
    kind: str, base_url: str, directory: Path, newest: datetime.date, days_back: int, report: Reporter
) -> Path:
    """The export of `newest`, or of the newest of `days_back` days before it that is published.

    Downloads into `directory` once; a file that is there and whole is used as it is. A broken download is
    deleted and fetched once more. Raises `ExportError`, and `OSError` when the disk refuses.
    """
    tried = []
    for age in range(days_back + 1):
        name = file_name(kind, newest - datetime.timedelta(days=age))
        path = directory / name
        if path.exists() and is_whole(path):
            return path
        path.unlink(missing_ok=True)
        for attempt in (1, 2):
            if not _download(f"{base_url}/{name}", path, report):
                tried.append(name)
                break
            if is_whole(path):
                return path
            path.unlink()
            if attempt == 2:
                raise ExportError(
                    f"{base_url}/{name} came damaged twice (truncated or corrupt gzip); nothing was seeded. "
                    "Try again later, or take another day with --date"
                )
    raise ExportError(
        f"no export is published at {base_url} for any of {tried[0]} … {tried[-1]}; nothing was seeded. "
        "Give another day with --date, or check TMDB_EXPORT_URL"
    )


def _download(url: str, path: Path, report: Reporter) -> bool:
    """Download into `path`; False when the server says that there is no such file."""
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(f"{path.name}.{os.getpid()}.partial")
    context = ssl.create_default_context() if url.startswith("https:") else None
    try:
        with (
            urllib.request.urlopen(url, timeout=TIMEOUT_S, context=context) as answer,
            partial.open("wb") as file,
        ):
            length = answer.headers.get("Content-Length")
            total = int(length) if length and length.isdigit() else None
            while chunk := answer.read(CHUNK_BYTES):
                file.write(chunk)
                report(file.tell(), total)
        partial.replace(path)
    except urllib.error.HTTPError as error:
        if error.code in {403, 404}:
            return False
        raise ExportError(f"{url} answered HTTP {error.code}; try again later") from error
    except NETWORK_FAULTS as error:
        reason = getattr(error, "reason", error)
        raise ExportError(
            f"{url} cannot be downloaded: {reason}; nothing was seeded. Check the network"
        ) from error
    finally:
        partial.unlink(missing_ok=True)
    return True


def is_whole(path: Path) -> bool:
    """Whether a gzip file decompresses to its end with the right checksum."""
    try:
        with _open(path) as file:
            lengths = iter(lambda: len(file.read(CHUNK_BYTES)), 0)
            return sum(lengths) > 0
    except (EOFError, OSError, gzip.BadGzipFile, isal_zlib.IsalError):  # type: ignore[misc]  # isal types it as a value
        return False


def read(path: Path, *, limit: int = 0, min_popularity: float = 0.0, no_video: bool = False) -> ReadExport:
    """The IDs of an export file (`.json`, or gzipped `.json.gz`), most popular first.

    `limit` 0 takes all. A malformed line is counted, never fatal. Raises `ExportError` when the file cannot
    be read to its end; then no ID of it may be used.
    """
    export = ReadExport([])
    try:
        with _open(path) as file:
            chosen = (
                line
                for line in _lines(file, export)
                if line.popularity >= min_popularity and not (no_video and line.video)
            )
            ranked = _most_popular_first(chosen, limit)
    except (EOFError, OSError, isal_zlib.IsalError) as error:  # type: ignore[misc]  # isal types it as a value
        raise ExportError(f"{path} cannot be read to its end ({error}); nothing was seeded") from error
    ids = [line.id for line in ranked]
    export.ids = ids if len(set(ids)) == len(ids) else list(dict.fromkeys(ids))
    return export


def _open(path: Path) -> IO[bytes]:
    if path.suffix == ".gz":
        return cast("IO[bytes]", igzip.open(path, "rb"))  # type: ignore[no-untyped-call]
    return path.open("rb")


def _most_popular_first(lines: Iterable[_Line], limit: int) -> list[_Line]:
    """Those of the same popularity by ID, so that the order is the same on every machine."""
    if limit:
        return heapq.nlargest(limit, lines, key=lambda line: (line.popularity, -line.id))
    # Two stable sorts: exports come sorted by ID, so that the first costs nothing.
    by_id = sorted(lines, key=operator.attrgetter("id"))
    return sorted(by_id, key=operator.attrgetter("popularity"), reverse=True)


def _lines(file: IO[bytes], export: ReadExport) -> Iterator[_Line]:
    """The whole lines of an export; the others are counted."""
    decoder = msgspec.json.Decoder(_Line)
    number = 0
    for block in _blocks(file):
        length = block.count(b"\n")
        try:
            lines = decoder.decode_lines(block)
        except (msgspec.DecodeError, UnicodeDecodeError):
            lines = []
        if len(lines) == length and all(0 < line.id <= HIGHEST_ID for line in lines):
            export.lines += length
            yield from lines
        else:
            yield from _whole_ones(block.split(b"\n"), number, export)
        number += length


def _blocks(file: IO[bytes]) -> Iterator[bytes]:
    """A file in pieces that end where a line ends."""
    begun = b""
    while chunk := file.read(CHUNK_BYTES):
        whole, end, begun = (begun + chunk).rpartition(b"\n")
        yield whole + end
    yield begun


def _whole_ones(texts: list[bytes], before: int, export: ReadExport) -> Iterator[_Line]:
    """As `_lines`, one by one, for the few thousand lines around one with a null or a malformed one."""
    for number, text in enumerate(texts, before + 1):
        if not text.strip():
            continue
        export.lines += 1
        try:
            odd = _decode_odd(text)
            if not 0 < odd.id <= HIGHEST_ID:
                raise msgspec.ValidationError("an ID that the ledger has no room for")
        except (msgspec.DecodeError, UnicodeDecodeError):
            export.malformed += 1
            export.first_malformed = export.first_malformed or number
        else:
            yield _Line(odd.id, odd.popularity or 0.0, bool(odd.video))


def forget_selections(directory: Path, kind: str) -> None:
    """Nothing is seeded any more: the ledger was started anew."""
    (directory / f"{kind}.seeds.jsonl").unlink(missing_ok=True)


def begin_selection(directory: Path, kind: str, selection: Selection) -> None:
    """Write down that `selection` is being seeded, so that an interrupted seeding can be continued."""
    directory.mkdir(parents=True, exist_ok=True)
    _write_whole(directory / f"{kind}.seeding.json", msgspec.json.encode(selection))


def unfinished_selection(directory: Path, kind: str) -> Selection | None:
    """What was being seeded when it was interrupted."""
    try:
        return msgspec.json.decode((directory / f"{kind}.seeding.json").read_bytes(), type=Selection)
    except (FileNotFoundError, msgspec.DecodeError):
        return None


def record_selection(directory: Path, kind: str, selection: Selection) -> None:
    """Write down that `selection` was seeded."""
    earlier = recorded_selections(directory, kind)
    if selection not in earlier:
        lines = msgspec.json.Encoder().encode_lines([*earlier, selection])
        _write_whole(directory / f"{kind}.seeds.jsonl", lines)
    (directory / f"{kind}.seeding.json").unlink(missing_ok=True)


def recorded_selections(directory: Path, kind: str) -> list[Selection]:
    """All selections that were seeded from this machine."""
    path = directory / f"{kind}.seeds.jsonl"
    try:
        lines = path.read_bytes().splitlines(keepends=True)
    except FileNotFoundError:
        return []
    # A last line without its end was being written when the machine stopped; its seeding will be repeated.
    return [msgspec.json.decode(line, type=Selection) for line in lines if line.endswith(b"\n")]


def _write_whole(path: Path, content: bytes) -> None:
    """Write a file so that a crash leaves the earlier one."""
    partial = path.with_suffix(".partial")
    partial.write_bytes(content)
    partial.replace(path)


def read_selection(selection: Selection) -> ReadExport:
    """What a selection selects. Raises `ExportError`."""
    return read(
        Path(selection.file),
        limit=selection.limit,
        min_popularity=selection.min_popularity,
        no_video=selection.no_video,
    )
