"""Parts on their way in: what of them is here already, and what arrives, verified before it counts."""

from __future__ import annotations

import hashlib
import json
import os
import re
import shutil
import threading
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from deploy.on_host.data import parts
from deploy.on_host.data.parts import INDEX, PART, Had, Header
from deploy.ssh.failures import HostFailure
from deploy.ssh.hosts import Host
from deploy.ssh.remote_calls import RemoteCalls

SILENCE_TIMEOUT_S = 600.0
"""A host reads and checksums gigabytes that we have already, in silence."""

LONGEST_LINE = 4096
INCOMING = ".incoming"
"""Beside the parts, for those that have not arrived whole; an interrupted collect goes on from there."""

_FILE_NAME = re.compile(rf"[A-Za-z0-9_][A-Za-z0-9_.-]{{0,200}}({re.escape(PART)}|{re.escape(INDEX)})")


class _PartFailure(HostFailure):
    """One part cannot be taken; the others of its host can."""


@dataclass
class Collected:
    """What came from one host."""

    parts: int = 0
    new: int = 0
    """Parts that were not here, or not as long."""
    new_bytes: int = 0
    wire_bytes: int = 0
    home: str = ""


def inventory(directory: Path) -> dict[str, Had]:
    """What is in `directory` already, whole or not; of a file that is there twice, the longer one. An index
    may be replaced: it can be made anew."""
    had: dict[str, Had] = {}
    for folder, arrived in ((directory, True), (directory / INCOMING, False)):
        for part in sorted([*folder.glob(f"*{PART}"), *folder.glob(f"*{INDEX}")]):
            finished = arrived and part.suffix == PART
            with part.open("rb") as file:
                digest = hashlib.file_digest(file, "sha256").hexdigest()
            size = part.stat().st_size
            if part.name not in had or size > had[part.name]["size"]:
                had[part.name] = Had(size=size, sha256=digest, finished=finished)
    return had


class Claims:
    """Which host a part came from: two hosts must not offer the same name."""

    def __init__(self) -> None:
        self._owner: dict[str, Host] = {}
        self._claiming = threading.Lock()

    def claim(self, name: str, host: Host) -> Host:
        """The host that came with that part first."""
        with self._claiming:
            return self._owner.setdefault(name, host)


class Receiver:
    """Takes in what `deploy.on_host.data.parts.send` writes."""

    def __init__(self, directory: Path, host: Host, claims: Claims) -> None:
        self.directory = directory
        self.host = host
        self.claims = claims
        self.collected = Collected(home="own")
        self._refused: set[str] = set()

    def receive(self, calls: RemoteCalls, working_dir: str, kind: str, had: dict[str, Had]) -> Collected:
        """All parts of one host. Raises `HostFailure`; what arrived whole is kept."""
        with calls.stream(
            SILENCE_TIMEOUT_S, parts.send, working_dir=working_dir, kind=kind, had=had
        ) as blocks:
            self.take_all(_Source(blocks))
        return self.collected

    def take_all(self, source: _Source) -> None:
        """Take in a whole stream. A part that cannot be taken is told of at the end, when the others are
        here."""
        failures = []
        while line := source.line():
            try:
                self._take(header := json.loads(line), source)
            except _PartFailure as failure:
                self._refused.add(Path(header["name"]).stem)
                failures.append(failure)
        source.finish()
        self.collected.wire_bytes = source.wire_bytes
        if failures:
            reasons = "; ".join(failure.reason for failure in failures)
            raise HostFailure(reasons, failures[0].advice)

    def _take(self, header: Header, source: _Source) -> None:
        """Raises `_PartFailure`, the source being left behind the part; anything else ends the collect."""
        name, offset, size = header["name"], header["offset"], header["size"]
        if not _FILE_NAME.fullmatch(name) or not 0 <= offset <= size:
            raise HostFailure(
                f"it offers a part called {name[:80]!r}", "that is not a worker's file: look there"
            )
        content = source.exactly(size - offset)
        part = self.directory / name
        if part.suffix == INDEX and part.stem in self._refused:  # it speaks of another part than ours
            self._pass_over(content, source)
            return
        refusal = self._refusal(part, header)
        here = part.exists() and offset == size == part.stat().st_size
        incoming = None if here or refusal else self._receive(part, offset, content)
        digest = self._pass_over(content, source)
        if digest.startswith(parts.UNREADABLE):
            (self.directory / INCOMING / name).unlink(missing_ok=True)
            refusal = _PartFailure(
                f"{name} is {digest}", "see to that file there; the others of that host are collected"
            )
        if refusal:
            raise refusal
        if incoming is not None:
            _verify(incoming, size, digest)
            incoming.replace(part)
            self.collected.new_bytes += size - offset
        # A record in a part that was written to later replaces one in an earlier part.
        os.utime(part, ns=(header["modified_ns"], header["modified_ns"]))
        self.collected.parts += part.suffix == PART
        self.collected.new += part.suffix == PART and incoming is not None

    def _pass_over(self, content: Iterator[bytes], source: _Source) -> str:
        """Leave the rest of a file's bytes behind; the digest of the whole, or why it could not be read."""
        for _ in content:
            pass
        return source.line().decode("utf-8", "replace")

    def _refusal(self, part: Path, header: Header) -> _PartFailure | None:
        owner = self.claims.claim(part.name, self.host)
        if owner != self.host:
            return _PartFailure(
                f"{part.name} came from {owner} already, which does not share its home with this host",
                "was one copied to the other? remove one copy, then collect again",
            )
        if header["disagrees"]:
            return _PartFailure(
                f"{part} here is not the beginning of that part there",
                "move the file here away, then collect again",
            )
        return None

    def _receive(self, part: Path, offset: int, content: Iterator[bytes]) -> Path:
        incoming = part.parent / INCOMING / part.name
        if offset and part.exists() and part.stat().st_size == offset:
            shutil.copyfile(part, incoming)  # never in place: a torn end must not get into a finished part
        with incoming.open("r+b" if incoming.exists() else "w+b") as file:
            file.seek(offset)
            file.truncate()
            for block in content:
                file.write(block)
        return incoming


def _verify(incoming: Path, size: int, digest: str) -> None:
    """Of the file as it lies on the disk, not of what was meant to be written."""
    with incoming.open("rb") as file:
        written = hashlib.file_digest(file, "sha256").hexdigest()
    if written != digest or incoming.stat().st_size != size:
        incoming.unlink()
        raise _PartFailure(f"{incoming.name} arrived damaged", "collect again: it is fetched anew")


class _Source:
    """The decompressed stream, read by lines and by lengths."""

    def __init__(self, blocks: Iterator[bytes]) -> None:
        self.wire_bytes = 0
        self._blocks = blocks
        self._expand = zlib.decompressobj()
        self._ready = b""

    def line(self) -> bytes:
        """Up to the next newline, which is left out."""
        while b"\n" not in self._ready:
            if len(self._ready) > LONGEST_LINE:
                raise HostFailure(
                    "it sends something else than parts", "compare its python3 with this machine's"
                )
            self._more()
        line, _, self._ready = self._ready.partition(b"\n")
        return line

    def exactly(self, length: int) -> Iterator[bytes]:
        """The next `length` bytes, in blocks."""
        while length > 0:
            if not self._ready:
                self._more()
            block, self._ready = self._ready[:length], self._ready[length:]
            length -= len(block)
            yield block

    def finish(self) -> None:
        """Read to the end, so that a failure at the other side shows."""
        for _ in self._blocks:
            pass

    def _more(self) -> None:
        try:
            block = next(self._blocks)
        except StopIteration:
            raise HostFailure("the connection was cut", "collect again: it goes on where it was") from None
        self.wire_bytes += len(block)
        self._ready += self._expand.decompress(block)
