"""Ports for servers that a test does not start itself, or not at once."""

from __future__ import annotations

import itertools
import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tmdb_scrapy.local.redis_server import free_port

ROOM = 10_000
_turns = itertools.count()


def quiet_port() -> int:
    """A loopback port that stays free: the system gives it to nobody who asks for any port, nor does this
    function in another process."""
    given = int(Path("/proc/sys/net/ipv4/ip_local_port_range").read_text(encoding="ascii").split()[0])
    for turn in itertools.islice(_turns, 100):
        port = given - 1 - (os.getpid() * 10 + turn) % ROOM
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", port))
            except (OSError, OverflowError):
                continue
        return port
    return free_port()


@contextmanager
def nobody_listens() -> Iterator[int]:
    """A loopback port that refuses connections, and is nobody else's meanwhile: bound, not listened on."""
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))
        yield bound.getsockname()[1]
