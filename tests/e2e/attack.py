"""What somebody else on the machine tries while a crawl runs. A script of its own, run as the user `nobody`.

Prints what it achieved, one thing a line: nothing, if all is well. Its arguments: the project's directory and
the port of its Redis. It is told on its standard input which secrets are not to be found, one a line.
"""

from __future__ import annotations

import encodings.idna  # noqa: F401 - as root, for sockets: nobody may not look where Python lies
import os
import socket
import sys
from collections.abc import Iterator
from itertools import chain
from pathlib import Path

NOBODY = 65534
CONSOLE_PORTS = range(6023, 6074)
RESULTS = {".jsonl", ".index", ".html"}
"""Others may read those, as the user's umask says."""


def main(place: Path, port: int, secrets: list[bytes]) -> None:
    entries = sorted(walk(place))
    for achieved in chain(
        reads(entries, secrets), writes(entries), consoles(), processes(secrets), redis(port)
    ):
        print(achieved)


def walk(place: Path) -> Iterator[Path]:
    """All that can be seen below a directory, and itself."""
    for directory, _, files in os.walk(place):
        yield Path(directory)
        yield from (Path(directory) / file for file in files)


def reads(entries: list[Path], secrets: list[bytes]) -> Iterator[str]:
    for each in entries:
        if each.is_file() and os.access(each, os.R_OK):
            content = each.read_bytes()
            if each.suffix not in RESULTS:
                yield f"read {each}"
            elif any(secret in content for secret in secrets):
                yield f"found a secret in {each}"


def writes(entries: list[Path]) -> Iterator[str]:
    for each in entries:
        if each.is_dir() and os.access(each, os.W_OK | os.X_OK):
            yield f"may put files into {each}"
        elif each.is_file() and os.access(each, os.W_OK):
            yield f"may write {each}"


def redis(port: int) -> Iterator[str]:
    """Commands that look, steer, write files or run code, each on a connection of its own."""
    for command in (
        "PING",
        "INFO",
        "KEYS *",
        "AUTH default default",
        "CONFIG SET dir /tmp",
        "CONFIG SET dbfilename x",
        "SAVE",
        "SLAVEOF 127.0.0.1 1",
        "MODULE LOAD /tmp/x.so",
        "DEBUG SLEEP 0",
        "FLUSHALL",
        "SET {movies}:ledger x",
        'EVAL "return 1" 0',
        "SHUTDOWN NOSAVE",
    ):
        with socket.create_connection(("127.0.0.1", port), 5) as wire:
            wire.sendall(command.encode() + b"\r\n")
            answer = wire.recv(4096)
        if not answer.startswith((b"-NOAUTH", b"-WRONGPASS")):
            yield f"Redis answered {command!r}: {answer[:60]!r}"


def consoles() -> Iterator[str]:
    """Scrapy's telnet consoles: a guess is refused, and nothing is asked before the password."""
    for port in CONSOLE_PORTS:
        try:
            wire = socket.create_connection(("127.0.0.1", port), 1)
        except OSError:
            continue
        with wire:
            wire.settimeout(1)
            wire.sendall(b"scrapy\r\nscrapy\r\nprint(6 * 7)\r\n")
            said = b""
            try:
                while part := wire.recv(4096):
                    said += part
            except OSError:
                pass
            if b"42" in said or b">>>" in said:
                yield f"a console on port {port} let us in: {said[-60:]!r}"


def processes(secrets: list[bytes]) -> Iterator[str]:
    for process in Path("/proc").glob("[0-9]*"):
        for name in ("cmdline", "environ"):
            try:
                content = (process / name).read_bytes()
            except OSError:
                continue
            if any(secret in content for secret in secrets) and int(process.name) != os.getpid():
                yield f"found a secret in {process / name}"


if __name__ == "__main__":
    os.setgroups([])
    os.setgid(NOBODY)
    os.setuid(NOBODY)
    main(Path(sys.argv[1]), int(sys.argv[2]), sys.stdin.buffer.read().split(b"\n"))
