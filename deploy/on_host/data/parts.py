"""Send part files home: what is there already is proved by checksum and left out, the rest is compressed."""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import json
import os
import sys
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, TypedDict

from deploy.on_host import workspace

if TYPE_CHECKING:
    from hashlib import _Hash as Digest

BLOCK_BYTES = 1 << 18
COMPRESSION_LEVEL = 6
UNREADABLE = "unreadable: "
MOST_OF_AN_ERROR = 500
PART = ".jsonl"
INDEX = ".index"
"""Beside a part, if it has one."""


class Had(TypedDict):
    """What the receiver holds of a part already."""

    size: int
    sha256: str
    finished: bool
    """It arrived whole and was verified: it may be continued but not replaced."""


class Header(TypedDict):
    """Goes before the bytes of a part."""

    name: str
    offset: int
    """Where the bytes that follow belong: 0, or the size of the beginning that the receiver has."""
    size: int
    """Of the whole part at this moment; `size - offset` bytes follow."""
    modified_ns: int
    """When it was last written to, by this host's clock."""
    disagrees: bool
    """The receiver's finished part is not the beginning of this one: no bytes follow."""


def send(working_dir: str, kind: str, had: dict[str, Had]) -> None:
    """Write a zlib stream: for each part a line (`Header`), its bytes, a line with the SHA-256 of the whole
    part, or `UNREADABLE` and why; an empty line at the end.

    A part only grows, and a worker may be writing to it: what counts is its size at this moment. Its index
    follows, up to the size that it had before: a line is written before its index record, so the part has
    all that the index names.
    """
    path = workspace.require(working_dir)
    squeeze = zlib.compressobj(COMPRESSION_LEVEL)
    output = sys.stdout.buffer
    for part in sorted((path / "data" / kind / "parts").glob(f"*{PART}")):
        index = part.with_suffix(INDEX)
        indexed = index.stat().st_size if index.exists() else None
        for file, most in ((part, None), (index, indexed)):
            if file == part or indexed is not None:
                for block in _sheet(file, had.get(file.name), most):
                    output.write(squeeze.compress(block))
                output.write(squeeze.flush(zlib.Z_SYNC_FLUSH))
    output.write(squeeze.compress(b"\n") + squeeze.flush())


send.streams = True  # type: ignore[attr-defined]


def remove(working_dir: str, kind: str, sizes: dict[str, int]) -> int:
    """Remove the parts that have these names and sizes (bytes), with their indexes: all that is in them is
    merged elsewhere. One that has grown stays, and one that a worker holds. Returns how many were removed.
    Raises `Problem` where no working directory is, and `OSError`."""
    directory = workspace.require(working_dir) / "data" / kind / "parts"
    return sum(_remove(directory / name, size) for name, size in sizes.items())


def _remove(part: Path, size: int) -> bool:
    try:
        file = part.open("rb")
    except FileNotFoundError:
        return False
    with file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        except OSError:
            pass  # a file system without locks; whoever asks has looked for heartbeats
        if os.fstat(file.fileno()).st_size != size:
            return False
        # The part goes first: one without its index would count as answered when its file was written.
        part.unlink()
        with contextlib.suppress(FileNotFoundError):
            part.with_suffix(INDEX).unlink()
        return True


def _sheet(part: Path, had: Had | None, most: int | None) -> Iterator[bytes]:
    """What is sent of one file, of which `most` bytes count if that is given. One that cannot be read (a bad
    sector) must not keep the others here."""
    with contextlib.ExitStack() as opened:
        try:
            file = opened.enter_context(part.open("rb"))
            header, digest = _compare(part.name, file, had, most)
        except (OSError, workspace.Problem) as error:
            yield _line(json.dumps(Header(name=part.name, offset=0, size=0, modified_ns=0, disagrees=False)))
            yield _unreadable(error)
            return
        yield _line(json.dumps(header))
        left = header["size"] - header["offset"]
        try:
            for block in _blocks(file, left):
                digest.update(block)
                left -= len(block)
                yield block
        except (OSError, workspace.Problem) as error:
            for start in range(0, left, BLOCK_BYTES):  # the length was promised
                yield bytes(min(BLOCK_BYTES, left - start))
            yield _unreadable(error)
        else:
            yield _line(digest.hexdigest())


def _unreadable(error: Exception) -> bytes:
    return _line(UNREADABLE + " ".join(str(error).split())[:MOST_OF_AN_ERROR])


def _line(text: str) -> bytes:
    return text.encode() + b"\n"


def _compare(name: str, file: BinaryIO, had: Had | None, most: int | None) -> tuple[Header, Digest]:
    """What is to be sent of a part, the file being left at that place, and the digest of all before it."""
    status = os.fstat(file.fileno())
    size = status.st_size if most is None else most
    digest = hashlib.sha256()
    header: Header = {
        "name": name,
        "offset": 0,
        "size": size,
        "modified_ns": status.st_mtime_ns,
        "disagrees": False,
    }
    if had is None:
        return header, digest
    if had["size"] <= size:
        for block in _blocks(file, had["size"]):
            digest.update(block)
        if digest.hexdigest() == had["sha256"]:
            header["offset"] = had["size"]
            return header, digest
    if had["finished"]:
        header["offset"] = size
        header["disagrees"] = True
    file.seek(0)
    return header, hashlib.sha256()


def _blocks(file: BinaryIO, length: int) -> Iterator[bytes]:
    """The next `length` bytes. Raises `Problem` when the file ends before: nobody shortens a part."""
    while length > 0:
        block = file.read(min(BLOCK_BYTES, length))
        if not block:
            raise workspace.Problem(f"{file.name} became shorter while it was read", "collect again")
        length -= len(block)
        yield block
