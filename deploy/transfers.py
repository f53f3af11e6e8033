"""`make collect`: all parts of the fleet, verified, in this machine's `DATA_DIR/KIND/parts`."""

from __future__ import annotations

import hashlib
import json
import re
import shutil
import threading
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from deploy import shared_homes
from deploy.failures import HostFailure
from deploy.fleet import Fleet
from deploy.hosts import Host
from deploy.on_host import parts
from deploy.on_host.parts import Had, Header
from deploy.remote_calls import RemoteCalls
from tmdb_scrapy.parts import parts_directory

SILENCE_TIMEOUT_S = 600.0
"""A host reads and checksums gigabytes that we have already, in silence."""

BLOCK_BYTES = 1 << 18
LONGEST_LINE = 4096
INCOMING = ".incoming"
"""Beside the parts, for those that have not arrived whole; an interrupted collect goes on from there."""

_PART_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,200}\.jsonl")


@dataclass
class Collected:
    """What came from one host."""

    parts: int = 0
    new: int = 0
    """Parts that were not here, or not as long."""
    new_bytes: int = 0
    wire_bytes: int = 0
    home: str = ""


def collect(fleet: Fleet, kind: str) -> dict[Host, Collected | HostFailure]:
    """Bring all parts here, once where homes are shared. What is here already is neither sent nor changed."""
    homes = shared_homes.find(fleet, fleet.hosts, create=False)
    directory = parts_directory(fleet.config.data_dir, kind)
    (directory / INCOMING).mkdir(parents=True, exist_ok=True)
    claims, had = _Claims(), inventory(directory)
    fetched = fleet.each(
        lambda host, calls: Receiver(directory, host, claims).receive(calls, fleet.working_dir, kind, had),
        homes.keepers,
    )
    results: dict[Host, Collected | HostFailure] = {}
    for host in fleet.hosts:
        keeper = homes.keeper.get(host)
        results[host] = homes.failures[host] if keeper is None else fetched[keeper]
        if keeper is not None and keeper != host and not isinstance(fetched[keeper], HostFailure):
            results[host] = Collected(home=f"see {keeper}")
    return results


def inventory(directory: Path) -> dict[str, Had]:
    """What is in `directory` already, whole or not; of a part that is there twice, the longer one."""
    had: dict[str, Had] = {}
    for folder, finished in ((directory, True), (directory / INCOMING, False)):
        for part in sorted(folder.glob("*.jsonl")):
            with part.open("rb") as file:
                digest = hashlib.file_digest(file, "sha256").hexdigest()
            size = part.stat().st_size
            if part.name not in had or size > had[part.name]["size"]:
                had[part.name] = Had(size=size, sha256=digest, finished=finished)
    return had


class _Claims:
    """Which host a part came from: two hosts must not offer the same name."""

    def __init__(self) -> None:
        self._owner: dict[str, Host] = {}
        self._claiming = threading.Lock()

    def claim(self, name: str, host: Host) -> None:
        with self._claiming:
            owner = self._owner.setdefault(name, host)
        if owner != host:
            raise HostFailure(
                f"{name} came from {owner} already, which does not share its home with this host",
                "was one copied to the other? remove one copy, then collect again",
            )


class Receiver:
    """Takes in what `deploy.on_host.parts.send` writes."""

    def __init__(self, directory: Path, host: Host, claims: _Claims) -> None:
        self.directory = directory
        self.host = host
        self.claims = claims
        self.collected = Collected(home="own")

    def receive(self, calls: RemoteCalls, working_dir: str, kind: str, had: dict[str, Had]) -> Collected:
        """All parts of one host. Raises `HostFailure`; what arrived before is kept."""
        with calls.stream(
            SILENCE_TIMEOUT_S, parts.send, working_dir=working_dir, kind=kind, had=had
        ) as blocks:
            self.take_all(_Source(blocks))
        return self.collected

    def take_all(self, source: _Source) -> None:
        """Take in a whole stream."""
        while line := source.line():
            self._take(json.loads(line), source)
        source.finish()
        self.collected.wire_bytes = source.wire_bytes

    def _take(self, header: Header, source: _Source) -> None:
        name, offset, size = header["name"], header["offset"], header["size"]
        if not _PART_NAME.fullmatch(name) or not 0 <= offset <= size:
            raise HostFailure(
                f"it offers a part called {name[:80]!r}", "that is not a worker's file: look there"
            )
        self.claims.claim(name, self.host)
        part = self.directory / name
        if header["disagrees"]:
            source.line()
            raise HostFailure(
                f"{part} here is not the beginning of that part there",
                "move the file here away, then collect again",
            )
        self.collected.parts += 1
        if part.exists() and offset == size == part.stat().st_size:
            source.line()
            return
        self._write(part, header, source)
        self.collected.new += 1
        self.collected.new_bytes += size - offset

    def _write(self, part: Path, header: Header, source: _Source) -> None:
        incoming = part.parent / INCOMING / part.name
        if header["offset"] and part.exists() and part.stat().st_size == header["offset"]:
            shutil.copyfile(part, incoming)  # never in place: a torn end must not get into a finished part
        with incoming.open("r+b" if incoming.exists() else "w+b") as file:
            digest = _digest_of_beginning(file, header["offset"])
            file.truncate()
            for block in source.exactly(header["size"] - header["offset"]):
                digest.update(block)
                file.write(block)
        told = source.line().decode("ascii", "replace")
        if digest.hexdigest() != told or incoming.stat().st_size != header["size"]:
            incoming.unlink()
            raise HostFailure(f"{part.name} arrived damaged", "collect again: it is fetched anew")
        incoming.replace(part)


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


def _digest_of_beginning(file: BinaryIO, length: int) -> hashlib._Hash:
    """Of the first `length` bytes, the file being left behind them."""
    digest = hashlib.sha256()
    while length > 0:
        block = file.read(min(BLOCK_BYTES, length))
        if not block:
            break
        digest.update(block)
        length -= len(block)
    return digest
