"""The file to upload: its size and checksum as they were when it was opened, and its bytes in blocks."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType
from typing import Self

from tmdb_scrapy.nextcloud.answers import UploadError

BLOCK_BYTES = 1 << 18
"""Memory an upload needs, whatever the size of the file."""


class LocalFile:
    """A file open for reading. What is appended after opening is not part of it."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._descriptor = os.open(path, os.O_RDONLY)
        self.size = os.fstat(self._descriptor).st_size
        self._sha256: str | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        os.close(self._descriptor)

    def sha256(self) -> str:
        """The checksum in lower-case hexadecimal digits, computed once (a second a gigabyte or so)."""
        if self._sha256 is None:
            digest = hashlib.sha256()
            for block in self.blocks(0, self.size):
                digest.update(block)
            self._sha256 = digest.hexdigest()
        return self._sha256

    def read(self, offset: int, length: int) -> bytes:
        """At most `length` bytes from `offset` on; fewer at the end of the file."""
        return os.pread(self._descriptor, length, offset)

    def blocks(self, offset: int, length: int) -> Iterator[bytes]:
        """The bytes from `offset` on. Raises `UploadError` when the file became shorter meanwhile."""
        end = offset + length
        while offset < end:
            block = self.read(offset, min(BLOCK_BYTES, end - offset))
            if not block:
                raise UploadError(
                    f"{self.path} became shorter while it was uploaded: try again when it is at rest"
                )
            offset += len(block)
            yield block
