"""Files that are there whole or not at all."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO


@contextlib.contextmanager
def whole_file(path: Path, mode: int = 0o666) -> Iterator[BinaryIO]:
    """What to write in place of `path`: whoever reads finds the earlier file or all of this one, and after an
    error the earlier one. `mode` is that of the new file, less the umask.

    Where `path` is a symbolic link, the file that it leads to is replaced. What is no file (a pipe, a
    terminal, ``/dev/null``) cannot be replaced, and is written to. Raises `OSError`.
    """
    place = path.resolve()
    if place.exists() and not place.is_file():
        with place.open("wb") as stream:
            yield stream
        return
    unfinished = place.with_name(f"{place.name}.{os.getpid()}.partial")
    unfinished.unlink(missing_ok=True)
    try:
        with os.fdopen(os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode), "wb") as file:
            yield file
        unfinished.replace(place)
    finally:
        unfinished.unlink(missing_ok=True)
