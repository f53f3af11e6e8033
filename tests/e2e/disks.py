"""A disk that is soon full."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path


def why_impossible(directory: Path) -> str:
    """The reason why file systems cannot be mounted here; empty when they can."""
    if os.geteuid() != 0:
        return "needs root to mount a small tmpfs"
    try:
        with small_disk(directory / "probe", megabytes=1):
            return ""
    except subprocess.CalledProcessError as error:
        return f"mounting is forbidden here: {error.stderr.decode().strip()}"


@contextmanager
def small_disk(directory: Path, megabytes: int) -> Iterator[Callable[[], None]]:
    """Mounts a tmpfs of so many megabytes; gives a function that makes it large."""
    directory.mkdir(parents=True, exist_ok=True)
    _run("mount", "-t", "tmpfs", "-o", f"size={megabytes}m", "tmpfs", str(directory))
    try:
        yield lambda: _run("mount", "-o", "remount,size=256m", str(directory))
    finally:
        _run("umount", "--lazy", str(directory))


def _run(*command: str) -> None:
    subprocess.run(command, check=True, capture_output=True)
