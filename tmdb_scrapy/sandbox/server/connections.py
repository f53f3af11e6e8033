"""The server's connections: counted for each address, refused above a limit, reset on demand."""

from __future__ import annotations

import asyncio
import socket
import struct
from collections import Counter
from collections.abc import Awaitable, Callable
from typing import Any

from aiohttp import web
from aiohttp.web_protocol import RequestHandler

_NO_LINGER = struct.pack("ii", 1, 0)
"""Makes close() send RST and drop what was not sent."""


def reset(transport: asyncio.BaseTransport | None) -> None:
    """End a connection with RST."""
    if transport is None or transport.is_closing():
        return
    connection = transport.get_extra_info("socket")
    if connection is not None:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _NO_LINGER)
    if isinstance(transport, asyncio.Transport):
        transport.abort()
    else:
        transport.close()


def address(transport: asyncio.BaseTransport | None) -> tuple[str, int]:
    """The peer's address and port."""
    peer = transport.get_extra_info("peername") if transport else None
    return (str(peer[0]), int(peer[1])) if peer else ("", 0)


class CountingServer(web.Server):
    """aiohttp's server with a limit of open connections for each address.

    `admits(address, open)` says whether a connection may stay, `open` counting it; `refused` is called
    for one that may not. Over TLS a connection appears here when its handshake is done.
    """

    def __init__(
        self,
        handler: Callable[[web.BaseRequest], Awaitable[web.StreamResponse]],
        admits: Callable[[str, int], bool],
        refused: Callable[[], None],
    ) -> None:
        options: dict[str, Any] = {"access_log": None, "keepalive_timeout": 75.0}
        super().__init__(handler, handler_cancellation=True, **options)
        self._admits = admits
        self._refused = refused
        self._open: Counter[str] = Counter()
        self._address_of: dict[RequestHandler, str] = {}

    def connection_made(self, handler: RequestHandler, transport: asyncio.Transport) -> None:
        super().connection_made(handler, transport)
        peer, _ = address(transport)
        self._open[peer] += 1
        self._address_of[handler] = peer
        if not self._admits(peer, self._open[peer]):
            self._refused()
            reset(transport)

    def connection_lost(self, handler: RequestHandler, exc: BaseException | None = None) -> None:
        super().connection_lost(handler, exc)
        peer = self._address_of.pop(handler, None)
        if peer is not None:
            self._open[peer] -= 1
            if not self._open[peer]:
                del self._open[peer]

    def reset_all(self) -> None:
        """End every connection at once."""
        for handler in self.connections:
            reset(handler.transport)
