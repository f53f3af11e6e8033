"""What a set of tables was made of and by what, so that nothing is made anew that would come out the same."""

from __future__ import annotations

from collections.abc import Iterable
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import msgspec

import tmdb_scrapy
from tmdb_scrapy.tables.schema import VERSION

NAME = "origin.json"
"""Of the file, beside the Parquet files."""


class Origin(msgspec.Struct, frozen=True):
    """Two sets of equal origin hold the same."""

    files: dict[str, tuple[int, int]]
    """Merged files and their indexes by name: bytes, and when they were changed, in nanoseconds since the
    epoch."""
    formats: list[str]
    made_by: list[str]
    """The versions of this program, of the schema and of DuckDB."""

    def write(self, target: Path) -> None:
        """Put it into a set that is being made. Raises `OSError`."""
        (target / NAME).write_bytes(msgspec.json.encode(self))

    def is_of(self, merged: Path) -> bool:
        """Whether a merged file is there as it was when the set was made. Raises `OSError`."""
        return self.files.get(merged.name) == _state(merged)


def origin_of(paths: Iterable[Path], formats: Iterable[str]) -> Origin:
    """What a set that is made now of these files would say; files that are not there leave no trace.

    Ask before they are read: one that is replaced meanwhile must not pass for the one that was read. Raises
    `OSError`.
    """
    files = {path.name: _state(path) for path in paths if path.exists()}
    return Origin(files, sorted(formats), [tmdb_scrapy.__version__, VERSION, _engine()])


def read_origin(tables: Path) -> Origin | None:
    """Of a whole set; None where there is none, or one of an earlier release. Raises `OSError`."""
    try:
        return msgspec.json.decode((tables / NAME).read_bytes(), type=Origin)
    except (FileNotFoundError, NotADirectoryError, msgspec.DecodeError):
        return None


def _state(path: Path) -> tuple[int, int]:
    status = path.stat()
    return status.st_size, status.st_mtime_ns


def _engine() -> str:
    try:
        return version("duckdb")
    except PackageNotFoundError:
        return ""  # whoever needs it says so
