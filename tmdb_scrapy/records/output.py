"""The unfinished merged file: lines and stretches of other files go in, all is on disk at the end."""

from __future__ import annotations

import errno
import os
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import BinaryIO, Self

BUFFER_BYTES = 1 << 16
COPIED_BYTES = 1 << 20
"""So much is copied at once: it stays in the processor's cache."""
SYNC_BYTES = 64 << 20
"""So much is written between two syncs: the disk writes while the next lines are looked at."""


class Output:
    """Writes a file out in a thread while more of it comes, so that the last sync has little left to do."""

    def __init__(self, path: Path, report: Callable[[int], None]) -> None:
        self._file: BinaryIO = path.open("wb", buffering=BUFFER_BYTES)
        self._report = report
        self._thread = ThreadPoolExecutor(1)
        self._syncing: Future[None] | None = None
        self._unsynced = 0
        self.size = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._thread.shutdown()
        self._file.close()

    def write(self, line: bytes | memoryview) -> None:
        """Raises `OSError`."""
        self._file.write(line)
        self._advance(len(line))

    def copy(self, source: BinaryIO, start: int, end: int) -> None:
        """Add what lies between two offsets of another file, as it is. Raises `OSError`."""
        while start < end:
            # The kernel's own copy_file_range takes a fifth longer: it goes page by page.
            some = os.pread(source.fileno(), min(end - start, COPIED_BYTES), start)
            if not some:
                raise OSError(errno.EIO, f"{source.name} is shorter than its index says")
            self.write(some)
            start += len(some)
            self._report(len(some))

    def _advance(self, count: int) -> None:
        """Raises `OSError` when the disk refused earlier bytes."""
        self.size += count
        self._unsynced += count
        if self._unsynced >= SYNC_BYTES and (self._syncing is None or self._syncing.done()):
            self._check()
            self._syncing = self._thread.submit(os.fdatasync, self._file.fileno())
            self._unsynced = 0

    def finish(self) -> Callable[[], os.stat_result]:
        """Begin the last sync. What is returned waits until all is on disk, and returns the file's status;
        it raises `OSError`."""
        self._file.flush()
        last = self._thread.submit(os.fsync, self._file.fileno())

        def finished() -> os.stat_result:
            self._check()
            last.result()
            return os.fstat(self._file.fileno())

        return finished

    def _check(self) -> None:
        """A refusal is reported to one sync only: were it overlooked, the next would succeed."""
        if self._syncing is not None:
            self._syncing.result()
