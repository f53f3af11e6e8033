"""What steers workers, and what they say, is for their user alone, whatever this host's umask; what they
collect is as their user would have it.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

PRIVATE = 0o077
_umask_of_user: list[int] = []


def begin() -> None:
    """From here on, whatever this process makes is private."""
    _umask_of_user.append(os.umask(PRIVATE))


@contextlib.contextmanager
def as_user_would() -> Iterator[None]:
    """For starting what writes results: under the umask that this process came with."""
    before = os.umask(PRIVATE)
    os.umask(_umask_of_user[0] if _umask_of_user else before)
    try:
        yield
    finally:
        os.umask(before)


def directory(path: Path) -> Path:
    """`path`, made where it was not; an older one is closed to others."""
    path.mkdir(mode=0o700, parents=True, exist_ok=True)
    if path.stat().st_mode & PRIVATE:
        path.chmod(0o700)
    return path


def appending(path: Path) -> BinaryIO:
    """`path`, opened to be added to; an older one is closed to others."""
    descriptor = os.open(str(path), os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
    os.fchmod(descriptor, 0o600)
    return os.fdopen(descriptor, "ab")
