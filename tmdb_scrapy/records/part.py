"""Parts and merged files: where they lie, how a part and its index are written."""

from __future__ import annotations

import contextlib
import fcntl
import os
import threading
import time
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from isal.isal_zlib import crc32

from tmdb_scrapy import privacy
from tmdb_scrapy.kinds import Kind
from tmdb_scrapy.records.index import Entry, index_of, part_header

BUFFER_BYTES = 1 << 20


def parts_directory(data_dir: Path, kind: Kind) -> Path:
    """Where the workers of one kind write: `DATA_DIR/movies/parts`."""
    return data_dir / kind.name / "parts"


def merged_file(data_dir: Path, kind: Kind) -> Path:
    """The result: `DATA_DIR/movies.jsonl`."""
    return data_dir / f"{kind.name}.jsonl"


class Part:
    """The JSON-lines file of one worker, and its index. They belong to one process, which opens them once.

    They are made with the first line: a worker that keeps nothing leaves nothing. While the process lives it
    holds a lock on the part, so that `merge --prune` leaves it alone.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.refusal: OSError | None = None
        """What the disk said when it first refused; every later call raises the same."""
        self._file: BinaryIO | None = None
        self._index: BinaryIO | None = None
        self._size = 0
        self._answered_ns = 0
        self._written: list[bytes] = []
        """Entries of lines that may still be in this process's buffer."""
        self._flushed: deque[bytes] = deque()
        """Entries of lines that the operating system has: each batch waits for the sync of its lines."""
        self._syncing = threading.Lock()

    def write(self, tmdb_id: int, line: bytes) -> None:
        """Add the line of an ID that was answered just now, newline included. It is on disk after the next
        `flush` and `sync`, not before.

        Raises `OSError`, for example when the disk is full.
        """
        with self._remembering_refusal():
            file = self._file or self._open()
            file.write(line)
            # A clock that is set back must not make an older line of this part the newest.
            self._answered_ns = max(time.time_ns(), self._answered_ns)
            entry = Entry(tmdb_id, len(line), self._answered_ns, self._size, crc32(line))
            self._written.append(entry.packed())
            self._size += len(line)

    def _open(self) -> BinaryIO:
        privacy.open_directory(self.path.parent)
        index = index_of(self.path)
        # The index comes first: a part without one is taken for an older release's, and indexed by reading.
        self._index = index.open("xb", buffering=0)
        try:
            self._index.write(part_header(self.path, time.time_ns()).packed())
            self._file = self.path.open("xb", buffering=BUFFER_BYTES)
        except OSError:
            self._index.close()
            index.unlink()
            raise
        with contextlib.suppress(OSError):  # a file system without locks
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        return self._file

    def flush(self) -> None:
        """Hand all lines to the operating system, where the death of this process cannot reach them.

        Raises `OSError`.
        """
        with self._remembering_refusal():
            if self._file is not None and not self._file.closed:
                self._file.flush()
                self._flushed.append(b"".join(self._written))
                self._written.clear()

    def sync(self) -> None:
        """Have the operating system write what was flushed, so that a power cut cannot take it: first the
        lines, then their entries in the index. Slow (milliseconds): call it from a thread.

        Raises `OSError`.
        """
        with self._remembering_refusal(), self._syncing:
            if self._file is None or self._file.closed:
                return
            batches = len(self._flushed)  # what is flushed from here on is not in this sync
            os.fdatasync(self._file.fileno())
            assert self._index is not None
            _write_all(self._index, b"".join(self._flushed.popleft() for _ in range(batches)))
            os.fdatasync(self._index.fileno())

    def close(self) -> None:
        """Flush, sync and close. Raises `OSError`."""
        if self._file is not None and not self._file.closed:
            try:
                self.flush()
                self.sync()
            finally:
                if self._index is not None:
                    self._index.close()
                self._close_file(self._file)

    def _close_file(self, file: BinaryIO) -> None:
        try:
            file.close()
        except OSError as error:
            self.refusal = self.refusal or error
            raise

    @contextmanager
    def _remembering_refusal(self) -> Iterator[None]:
        """What the disk refused once is not on it, whatever it says later: fdatasync reports a failed write
        one time only, and a closed file has nothing to flush. So every later call fails as well."""
        if self.refusal is not None:
            raise self.refusal
        try:
            yield
        except OSError as error:
            self.refusal = error
            raise


def _write_all(file: BinaryIO, content: bytes) -> None:
    """An unbuffered file may take less than it is given. Raises `OSError`."""
    rest = memoryview(content)
    while rest:
        rest = rest[file.write(rest) :]
