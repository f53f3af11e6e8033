"""What the last merge changed, for those who load the difference: `DATA_DIR/movies.changes.jsonl`."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import BinaryIO, Literal, Self

BUFFER_BYTES = 1 << 16

Change = Literal["added", "updated", "removed"]


def changes_of(merged: Path) -> Path:
    """Where the changes of a merged file lie: beside it."""
    return merged.with_suffix(".changes.jsonl")


def counts_in(file: Path, since: float = 0.0) -> dict[str, int]:
    """How many of each change a file has that was written after `since`, in seconds since the epoch; none
    otherwise, for a merge that changes nothing leaves the file of the one before. Raises `OSError`."""
    counts = {"added": 0, "updated": 0, "removed": 0}
    if file.exists() and file.stat().st_mtime >= since:
        with file.open("rb") as lines:
            for line in lines:
                counts[line.rpartition(b':"')[2].rstrip(b'"}\n').decode()] += 1
    return counts


class Changes:
    """An unfinished file of changes, and how many there are of each."""

    def __init__(self, path: Path) -> None:
        self.counts: dict[Change, int] = {"added": 0, "updated": 0, "removed": 0}
        self._file: BinaryIO = path.open("wb", buffering=BUFFER_BYTES)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._file.close()

    def add(self, ids: Sequence[int], change: Change) -> None:
        """Raises `OSError`."""
        self.counts[change] += len(ids)
        line = b'{"id":%%d,"change":"%b"}\n' % change.encode()
        self._file.write(line * len(ids) % tuple(ids))

    def finish(self) -> None:
        """All is on disk when this returns. Raises `OSError`."""
        self._file.flush()
        os.fsync(self._file.fileno())
