"""Reading a daily ID export: which IDs it has, and which of its lines are lost.

https://developer.themoviedb.org/docs/daily-id-exports: one JSON object a line.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any, cast

import msgspec
from isal import igzip, isal_zlib

from tmdb_scrapy.kinds import KINDS, Kind

CHUNK_BYTES = 1 << 20
HIGHEST_ID = (1 << 28) - 1
"""The ledger has a byte for each ID up to the highest: 256 MB would be a mistake, not an export."""
LOST_MOST = 1 / 1000
"""An export of which more lines are lost is another format, or damaged: nothing may be concluded from it."""
GZIP_MAGIC = b"\x1f\x8b"

UNREADABLE = (EOFError, OSError, isal_zlib.IsalError)
"""What reading a damaged file raises."""


class ExportError(Exception):
    """An export cannot be had or read; the text says which, why, and what to do next."""


class Line(msgspec.Struct, gc=False):
    """What a line of an export says of an ID."""

    id: int
    popularity: float = 0.0
    video: bool = False


@dataclass(slots=True)
class Export:
    """The lines of an export, and how many are lost."""

    path: Path
    total: int = 0
    lost: int = 0
    """Lines from which no ID can be read."""
    first_lost: int = 0
    """Its number, from 1."""
    lines: list[Line] = field(default_factory=list, repr=False)

    def __str__(self) -> str:
        return f"{self.lost:,} of {self.total:,} lines (the first is line {self.first_lost})"


def read_export(path: Path, kind: Kind) -> Export:
    """The lines of the export of a kind, gzipped or not, in the file's order.

    Raises `ExportError` when the file cannot be read to its end, is another kind's, or when more than one
    line in a thousand is lost; then no ID of it may be used.
    """
    export = Export(path)
    export.lines = list(lines_of(export, kind))
    return export


def lines_of(export: Export, kind: Kind) -> Iterator[Line]:
    """The lines one by one, for who need not hold them all; `export` counts them. Raises as `read_export`, at
    the last line perhaps: nothing may be done with them before."""
    _refuse_other_kinds(export.path, kind)
    try:
        with opened(export.path) as file:
            yield from _lines(file, export)
    except UNREADABLE as error:  # type: ignore[misc]  # isal types its error as a value
        raise ExportError(f"{export.path} cannot be read to its end ({error}); nothing was seeded") from error
    if export.lost > LOST_MOST * export.total:
        raise ExportError(
            f"{export.path}: {export} are no lines of an export (a JSON object with an id each), more than "
            "one in a thousand; nothing was seeded. Download it again, or give another day with --date"
        )


def size_of(path: Path) -> int | None:
    """How many bytes of text a file has, decompressed if it is gzipped; None when it is damaged."""
    try:
        with opened(path) as file:
            return sum(iter(lambda: len(file.read(CHUNK_BYTES)), 0))
    except UNREADABLE:  # type: ignore[misc]  # isal types its error as a value
        return None


def is_gzip(path: Path) -> bool:
    """Whether a file begins as gzip does, whatever its name."""
    with path.open("rb") as file:
        return file.read(len(GZIP_MAGIC)) == GZIP_MAGIC


def opened(path: Path) -> IO[bytes]:
    """The file's text as bytes, decompressed if it is gzipped. Raises `OSError`."""
    if is_gzip(path):
        return cast("IO[bytes]", igzip.open(path, "rb"))  # type: ignore[no-untyped-call]
    return path.open("rb")


def _refuse_other_kinds(path: Path, kind: Kind) -> None:
    """Raises `ExportError` for what is by its name, or by its first line, an export of another kind."""
    for other in KINDS.values():
        if path.name.startswith(f"{other.export}_") and other is not kind:
            raise ExportError(
                f"{path} is an export of {other.name}, not of {kind.name}; nothing was seeded. "
                f"Run: scrapy seed {other.name} --file {path}"
            )
    try:
        with opened(path) as file:
            first = json.loads(file.readline(CHUNK_BYTES))
    except (*UNREADABLE, ValueError):  # type: ignore[misc]  # isal types its error as a value
        return  # told by whoever reads the whole
    titles = {other.title_field for other in KINDS.values()}
    if isinstance(first, dict) and titles & first.keys() and kind.title_field not in first:
        raise ExportError(
            f"{path} is no export of {kind.name}: its lines have no {kind.title_field}; nothing was seeded. "
            f"Give the file {kind.export}_….json.gz"
        )


def _lines(file: IO[bytes], export: Export) -> Iterator[Line]:
    """The lines that can be read; the others are counted."""
    decoder = msgspec.json.Decoder(Line)
    number = 0
    for block in _blocks(file):
        length = block.count(b"\n")
        try:
            lines = decoder.decode_lines(block)
            ordinary = len(lines) == length and all(0 < line.id <= HIGHEST_ID for line in lines)
        except (msgspec.DecodeError, UnicodeDecodeError):
            ordinary = False
        if ordinary:
            export.total += length
            yield from lines
        else:
            yield from _one_by_one(block.split(b"\n"), number, export)
        number += length


def _blocks(file: IO[bytes]) -> Iterator[bytes]:
    """A file in pieces that end where a line ends."""
    begun = b""
    while chunk := file.read(CHUNK_BYTES):
        whole, end, begun = (begun + chunk).rpartition(b"\n")
        yield whole + end
    yield begun


def _one_by_one(texts: list[bytes], before: int, export: Export) -> Iterator[Line]:
    """As `_lines`, for the few thousand lines around an odd one."""
    for number, text in enumerate(texts, before + 1):
        if not text.strip():
            continue
        export.total += 1
        line = _odd_line(text)
        if line is None:
            export.lost += 1
            export.first_lost = export.first_lost or number
        else:
            yield line


def _odd_line(text: bytes) -> Line | None:
    """A line with a null or a text that is no text: whatever else is odd in it, its ID can be read."""
    try:
        # The standard library's decoder bears a lone surrogate in a title.
        found = json.loads(text.decode("utf-8-sig", "replace"))
    except (ValueError, RecursionError):
        return None
    tmdb_id: Any = found.get("id") if isinstance(found, dict) else None
    if not _is_number(tmdb_id) or tmdb_id != tmdb_id // 1 or not 0 < tmdb_id <= HIGHEST_ID:
        return None
    popularity = found.get("popularity")
    return Line(int(tmdb_id), float(popularity) if _is_number(popularity) else 0.0, bool(found.get("video")))


def _is_number(value: object) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)
