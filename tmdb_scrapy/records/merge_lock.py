"""Who reads or writes a merged file and its parts to the end is alone in it."""

from __future__ import annotations

import contextlib
import fcntl
from collections.abc import Iterator
from pathlib import Path

from tmdb_scrapy import privacy


class MergeIsRunning(Exception):
    """Another merge of that kind is at work."""


@contextlib.contextmanager
def merge_lock(directory: Path) -> Iterator[None]:
    """One merge at a time: of two, the later would undo what the earlier wrote. The lock ends with its
    process. Raises `MergeIsRunning`."""
    privacy.open_directory(directory)
    with privacy.lock(directory / "merge.lock") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise MergeIsRunning(f"another merge is at work in {directory.parent}") from None
        yield
