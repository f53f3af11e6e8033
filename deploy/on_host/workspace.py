"""The working directory on a host: where it is, what is ours in it, and how it is marked as ours."""

from __future__ import annotations

import contextlib
import fcntl
import os
import secrets
import socket
import sys
import tarfile
from collections.abc import Iterator
from pathlib import Path
from typing import TextIO

from deploy.on_host import privacy

MARKER = ".tmdb-scrapy-fleet"
"""A file that says: `make init` made this directory. `make clean` removes nothing without it."""

CONTENTS = (
    "project",
    ".env",
    "releases",
    "environments",
    "wheels",
    "data",
    "logs",
    "run",
    "redis",
    "redis-ca.pem",
    MARKER,
)
"""All that the fleet ever makes in a working directory; the marker last, so a removal can be repeated."""


class Problem(Exception):
    """Something on this host stands in the way; `advice` says what to do about it."""

    def __init__(self, reason: str, advice: str = "") -> None:
        super().__init__(reason)
        self.advice = advice


def locate(working_dir: str) -> Path:
    """`REMOTE_WORKING_DIR` as an absolute path: `~` is the SSH user's home, and so is where a relative
    path begins.

    Raises `Problem` for a directory that must never be filled, let alone removed.
    """
    home = Path("~").expanduser()
    path = Path(os.path.realpath(str(home / Path(working_dir).expanduser())))
    if path == Path("/") or path == home.resolve() or path in home.resolve().parents or ":" in str(path):
        raise Problem(
            f"REMOTE_WORKING_DIR is {str(path)!r} here, which cannot be ours",
            "name a directory of its own without a colon, for example REMOTE_WORKING_DIR=~/tmdb",
        )
    return path


def create(working_dir: str) -> Path:
    """The working directory, made (0700) and marked where it was not.

    Raises `Problem` for an older directory in which we would overwrite, and later remove, what is not ours.
    """
    path = locate(working_dir)
    try:
        path.mkdir(mode=0o700, parents=True)
    except FileExistsError:
        if not (path / MARKER).is_file():
            _refuse_what_is_not_ours(path)
    (path / MARKER).touch(mode=0o600)
    return path


def require(working_dir: str) -> Path:
    """The working directory that `create` made earlier; raises `Problem` when it did not."""
    path = locate(working_dir)
    if not (path / MARKER).is_file():
        raise Problem(f"{path} was not made by make init", "run make init first")
    return path


def _refuse_what_is_not_ours(path: Path) -> None:
    taken = [name for name in CONTENTS if os.path.lexists(str(path / name))]
    # A host that shares the directory may have marked it since we looked: then they are the fleet's own.
    if taken and not (path / MARKER).is_file():
        raise Problem(
            f"{path} was not made by make init and has files that init would replace: {', '.join(taken)}",
            "name a directory of its own in REMOTE_WORKING_DIR, or move those files away",
        )
    if path.stat().st_uid != os.geteuid():
        raise Problem(
            f"{path} belongs to another user (number {path.stat().st_uid})",
            "name a directory of the SSH user's own in REMOTE_WORKING_DIR",
        )


def hostname() -> str:
    """This machine's name, as workers and run files carry it."""
    return socket.gethostname()


@contextlib.contextmanager
def locked(file: Path) -> Iterator[None]:
    """Hold the lock that `file` stands for; with others who do, one at a time."""
    privacy.directory(file.parent)
    with file.open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def write_privately(path: Path, text: str) -> bool:
    """Replace `path` by `text` at one stroke, readable by its owner only; False if it held that already."""
    with contextlib.suppress(FileNotFoundError):
        if path.read_text(encoding="utf-8") == text and path.stat().st_mode & 0o077 == 0:
            return False
    unfinished = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    with create_private(unfinished) as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    unfinished.replace(path)
    return True


def create_private(path: Path) -> TextIO:
    """`path` opened for writing with mode 0600 from its first moment."""
    return os.fdopen(os.open(str(path), os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8")


def point(link: Path, target: str) -> None:
    """Make `link` a symbolic link to `target`, replacing an older link at one stroke."""
    unfinished = link.with_name(f".{link.name}.{secrets.token_hex(4)}")
    unfinished.symlink_to(target)
    unfinished.replace(link)


def unpack_standard_input(directory: Path) -> None:
    """Unpack the tar, compressed or not, that standard input is, into `directory`."""
    with tarfile.open(fileobj=sys.stdin.buffer, mode="r|*") as archive:
        if hasattr(tarfile, "data_filter"):  # since 3.8.17, 3.9.17, 3.10.12, 3.11.4
            archive.extraction_filter = tarfile.data_filter
        archive.extractall(str(directory))  # noqa: S202  (we packed it ourselves)
