"""DuckDB as the tables use it: within DATA_DIR, within bounds, and never on the network."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

MOST_THREADS = 4
"""Each needs its share of the memory."""


FIND_TABLES = "SET search_path = 'tmdb.main,memory.main'"
"""Names are looked for in the database `tmdb`, then among what is only there for the making of it."""


_OF_A_THREAD = re.compile(r'"exception_message":("(?:[^"\\]|\\.)*")')
"""DuckDB quotes what went wrong in a thread that writes as JSON."""


class NotInstalled(Exception):
    """The optional packages for the tables are missing."""


class EngineFailed(Exception):
    """DuckDB could not do what it was told; the text is its own."""


@contextmanager
def connect(temporary: Path, memory_limit: str) -> Iterator[DuckDBPyConnection]:
    """An empty database in memory, whose buffers take `memory_limit` at most, as "512MB". What does not fit
    goes to files in `temporary`, a directory for this engine alone.

    Raises `NotInstalled`, and within the block `EngineFailed` for every error of DuckDB's.
    """
    try:
        # Scrapy imports every command when it starts, and a worker must not pay for this one.
        import duckdb
    except ImportError:
        raise NotInstalled from None
    try:
        with duckdb.connect(config=_settings(temporary, memory_limit)) as database:
            yield database
    except duckdb.Error as error:
        raise EngineFailed(_reason(str(error))) from error


def _reason(text: str) -> str:
    # What follows the first paragraph is advice about settings that are not the user's.
    first = text.partition("\n")[0].rpartition("Original error: ")[2]
    within = _OF_A_THREAD.search(first)
    return str(json.loads(within[1])) if within else first


def _settings(temporary: Path, memory_limit: str) -> dict[str, str | bool | int | float | list[str]]:
    return {
        # DuckDB would fetch extensions from its makers' server, and keep them in the user's home.
        "autoinstall_known_extensions": "false",
        "autoload_known_extensions": "false",
        "allow_community_extensions": "false",
        "memory_limit": memory_limit,
        "threads": str(min(os.cpu_count() or 1, MOST_THREADS)),
        "temp_directory": str(temporary),
        "preserve_insertion_order": "true",
    }


def refuse_patterns(path: Path) -> None:
    """DuckDB reads every file that a path fits which has such letters. Raises `EngineFailed`."""
    if found := "".join(letter for letter in "*?[\\" if letter in str(path)):
        raise EngineFailed(f"{path}: DuckDB takes a path with {found} for a pattern; have DATA_DIR without")


def quoted(text: str) -> str:
    """A text as an SQL literal."""
    return "'" + text.replace("'", "''") + "'"


def name(text: str) -> str:
    """A text as an SQL name, even where it is a word of SQL's own, as `cast` is."""
    return '"' + text.replace('"', '""') + '"'
