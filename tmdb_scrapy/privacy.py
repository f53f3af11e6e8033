"""On a shared machine, whatever the umask: what steers a crawl is its user's alone. What a crawl results in
others may read as far as the user's umask lets them; nobody else may put files beside it or in its place.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import BinaryIO

from tmdb_scrapy.whole_file import whole_file

OTHERS = 0o077


def directory(path: Path) -> Path:
    """`path` for what steers, made where it was not; an older one is closed to others. Raises `OSError`."""
    open_directory(path.parent)
    path.mkdir(mode=0o700, exist_ok=True)
    if path.stat().st_mode & OTHERS:
        path.chmod(0o700)
    return path


def open_directory(path: Path) -> Path:
    """`path` for results, made with its parents where they were not. Raises `OSError`."""
    for each in [*reversed(path.parents), path]:
        each.mkdir(mode=0o755, exist_ok=True)
    return path


def write(path: Path, content: bytes) -> None:
    """Put a file there for its user alone, in place of an earlier one: whoever reads finds one of them whole.
    Raises `OSError`."""
    with whole_file(path, 0o600) as file:
        file.write(content)


def lock(path: Path) -> BinaryIO:
    """A file to lock, its user's alone: whoever can open it, for reading too, can hold it for ever. Raises
    `OSError`."""
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    os.fchmod(descriptor, 0o600)
    return os.fdopen(descriptor, "r+b")
