"""The last lines of this host's logs, and the new ones as they come."""

from __future__ import annotations

import os
import select
import sys
from pathlib import Path
from typing import BinaryIO

from deploy.on_host import workspace

POLL_S = 0.5
LAST_BYTES = 64 * 1024


def follow(working_dir: str, lines: int, follow: bool) -> None:
    """Write the last `lines` lines of each log; with `follow` go on until the other side hangs up."""
    path = workspace.require(working_dir)
    open_files: dict[Path, BinaryIO] = {}
    while True:
        for log in sorted((path / "logs" / workspace.hostname()).glob("*.log")):
            if log not in open_files:
                open_files[log] = log.open("rb")
                _skip_to_last(open_files[log], lines)
            _copy(open_files[log], log.stem)
        sys.stdout.buffer.flush()
        if not follow or _hung_up():
            return


follow.streams = True  # type: ignore[attr-defined]


def _skip_to_last(file: BinaryIO, lines: int) -> None:
    size = file.seek(0, os.SEEK_END)
    file.seek(max(0, size - LAST_BYTES))
    tail = file.read()
    wanted = b"".join(tail.splitlines(keepends=True)[-lines:]) if lines else b""
    file.seek(size - len(wanted))


def _copy(file: BinaryIO, name: str) -> None:
    """Whole lines only: a line that is being written comes with the next round."""
    before = file.tell()
    new = file.read()
    whole = new[: new.rfind(b"\n") + 1]
    file.seek(before + len(whole))
    for line in whole.splitlines(keepends=True):
        sys.stdout.buffer.write(name.encode() + b" " + line)


def _hung_up() -> bool:
    """Wait a moment; True when standard input has ended, which is how a closed SSH channel shows."""
    readable, _, _ = select.select([sys.stdin.fileno()], [], [], POLL_S)
    return bool(readable) and not os.read(sys.stdin.fileno(), 4096)
