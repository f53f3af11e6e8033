"""What tests of records share."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from movie_records import Clock, Records

from tmdb_scrapy.records import part as part_module


@pytest.fixture
def records(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Records]:
    clock = Clock()
    monkeypatch.setattr(part_module, "time", clock)
    yield Records(tmp_path, clock)


@pytest.fixture
def flip() -> Callable[[Path, bytes], None]:
    """`flip(path, b"text")` changes one bit of the last byte of that text, where it is last in the file."""

    def flipped(path: Path, text: bytes) -> None:
        content = bytearray(path.read_bytes())
        content[content.rindex(text) + len(text) - 1] ^= 1
        status = path.stat()
        path.write_bytes(content)
        os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns))

    return flipped
