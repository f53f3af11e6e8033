"""What the tables are made of, and what may be wrong with it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from tmdb_scrapy.kinds import Kind


def unknown_age(record_id: int) -> int | None:
    """For a merged file without an index: when its records were fetched is not known."""
    return None


@dataclass(frozen=True, slots=True)
class Source:
    """A merged file."""

    kind: Kind
    path: Path
    lines: BinaryIO
    """The file itself. It was opened before its index was, so a merge may replace both while it is read."""
    answered: Callable[[int], int | None] = unknown_age
    """From a record's ID to when TMDb answered with it, in nanoseconds since the epoch. Of two records
    that differ about a third thing, the one answered last is believed; without times, the later line is."""


class BrokenLine(Exception):
    """A line of a merged file is no record; the text names the file, the line and the reason."""
