"""Out of file descriptors: a fault of this process that is easily taken for the disk's or the network's."""

from __future__ import annotations

import errno
import os

ADVICE = "too many files are open: allow more (`ulimit -n 4096`), or lower THREADS and PROCESSES"
_TEXTS = tuple(os.strerror(number) for number in (errno.EMFILE, errno.ENFILE))


def is_out_of_files(error: BaseException | None) -> bool:
    """Whether `error` says so; redis-py and pyreqwest only quote the system's words."""
    return any(text in str(error) for text in _TEXTS)


def advice(error: BaseException | None, otherwise: str) -> str:
    """What to do about `error`: `otherwise`, unless it is about something else than it seems."""
    return ADVICE if is_out_of_files(error) else otherwise
