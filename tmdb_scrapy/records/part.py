"""Parts and merged files: where they lie, how a part is written."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from tmdb_scrapy.kinds import Kind

BUFFER_BYTES = 1 << 20


def parts_directory(data_dir: Path, kind: Kind) -> Path:
    """Where the workers of one kind write: `DATA_DIR/movies/parts`."""
    return data_dir / kind.name / "parts"


def merged_file(data_dir: Path, kind: Kind) -> Path:
    """The result: `DATA_DIR/movies.jsonl`."""
    return data_dir / f"{kind.name}.jsonl"


class Part:
    """The JSON-lines file of one worker. It belongs to one process, which opens it once.

    The file is made with the first line: a worker that keeps nothing leaves nothing.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.refusal: OSError | None = None
        """What the disk said when it first refused; every later call raises the same."""
        self._file: BinaryIO | None = None

    def write(self, line: bytes) -> None:
        """Add a line, newline included. It is on disk after the next `sync`, not before.

        Raises `OSError`, for example when the disk is full.
        """
        with self._remembering_refusal():
            if self._file is None:
                self.path.parent.mkdir(parents=True, exist_ok=True)
                self._file = self.path.open("xb", buffering=BUFFER_BYTES)
            self._file.write(line)

    def flush(self) -> None:
        """Hand all lines to the operating system, where the death of this process cannot reach them.

        Raises `OSError`.
        """
        with self._remembering_refusal():
            if self._file is not None and not self._file.closed:
                self._file.flush()

    def sync(self) -> None:
        """Have the operating system write what was flushed, so that a power cut cannot take it. Slow
        (milliseconds): call it from a thread. Raises `OSError`."""
        with self._remembering_refusal():
            if self._file is not None and not self._file.closed:
                os.fdatasync(self._file.fileno())

    def close(self) -> None:
        """Flush, sync and close. Raises `OSError`."""
        if self._file is not None and not self._file.closed:
            try:
                self.flush()
                self.sync()
            finally:
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
