"""One update at a time where its data lies: of two, one says who the other is and leaves."""

from __future__ import annotations

import fcntl
import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

from tmdb_scrapy import privacy


class UpdateIsRunning(Exception):
    """Another update is at work; the text says whose."""


@contextmanager
def update_lock(data_dir: Path) -> Iterator[None]:
    """Hold `DATA_DIR/update.lock`. The kernel lets go of it when its owner ends, however that is. Raises
    `UpdateIsRunning`, and `OSError`."""
    privacy.open_directory(data_dir)
    with privacy.lock(data_dir / "update.lock") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            owner = lock.read().decode().strip() or "who it is, is not written yet"
            raise UpdateIsRunning(f"another update is at work in {data_dir}: {owner}") from None
        now = datetime.now(UTC)
        lock.truncate(0)
        lock.write(
            f"pid {os.getpid()} on {socket.gethostname()}, since {now:%Y-%m-%d %H:%M:%S} UTC\n".encode()
        )
        lock.flush()
        yield
