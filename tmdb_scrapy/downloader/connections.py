"""Connections by the program's one HTTP client: to the API through a proxy, and to other servers."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable, Mapping
from datetime import timedelta
from typing import NamedTuple

from pyreqwest.bytes import Bytes
from pyreqwest.client import Client, ClientBuilder
from pyreqwest.exceptions import PyreqwestError
from pyreqwest.http import HeaderMap
from pyreqwest.request import StreamRequest

from tmdb_scrapy.network import BrokenOff, Dropped, translated

IDLE_S = 30.0
"""A connection that rested for longer is not used again: the server may be about to close it."""
READ_BYTES = 1 << 18
"""Nearly every body comes in one piece of at most this size."""
REPEATABLE = frozenset({"GET", "HEAD"})


class HttpResponse(NamedTuple):
    """What came over the wire. From `Connections` and `DirectConnections` the body is as it was sent."""

    status: int
    headers: dict[str, str]
    """Names in lower case."""
    body: bytes


class Connections:
    """Sends requests to one server, each over a connection of its own while it lasts. For one event loop.

    A client of pyreqwest's has a pool, may open more connections than it has requests, and does not tell
    whether a request went over a new one. So each connection is a client of its own here, whose pool has room
    for one.
    """

    def __init__(self, builder: Callable[[], ClientBuilder], largest_bytes: int) -> None:
        """`builder` prepares each client; `largest_bytes` is how long a body may be, as it is on the wire."""
        self._builder = builder
        self._largest_bytes = largest_bytes
        self._all: list[_Connection] = []
        self._at_rest: list[_Connection] = []

    async def send(
        self, method: str, url: str, headers: Mapping[str, str], body: bytes = b"", timeout_s: float = 30.0
    ) -> HttpResponse:
        """The response to a request.

        Raises `TimeoutError` after `timeout_s`, the errors of `tmdb_scrapy.network`, and `ValueError` for
        what cannot be put into a request. Their texts do not contain the URL. `Dropped` is about a new
        connection: one that the server closed while it rested is replaced.
        """
        deadline = asyncio.get_running_loop().time() + timeout_s
        connection = self._next()
        try:
            return await self._sent(connection, method, url, headers, body, deadline)
        finally:
            self._at_rest.append(connection)

    async def _sent(
        self,
        connection: _Connection,
        method: str,
        url: str,
        headers: Mapping[str, str],
        body: bytes,
        deadline: float,
    ) -> HttpResponse:
        rested = connection.rested()
        try:
            return await connection.send(method, url, headers, body, deadline)
        except Dropped:
            if not rested or method not in REPEATABLE:
                raise
        # Closed while it rested, most likely. The next try is on a new one: a request at which the server
        # breaks down would end all that rest.
        return await connection.send(method, url, headers, body, deadline)

    async def close(self) -> None:
        """End all connections; whoever waits for a response gets an error."""
        for connection in self._all:
            await connection.close()

    def _next(self) -> _Connection:
        # The last but one: a client takes some microseconds to put a connection back into its pool, and opens
        # another one for a request that comes in between.
        if self._at_rest:
            return self._at_rest.pop(-2 if len(self._at_rest) > 1 else -1)
        return self._made()

    def _made(self) -> _Connection:
        try:
            connection = _Connection(self._builder(), self._largest_bytes)
        except PyreqwestError as error:
            raise translated(error) from None
        self._all.append(connection)
        return connection


class _Connection:
    """One connection, opened when it is needed: a request, its response, the next request."""

    def __init__(self, builder: ClientBuilder, largest_bytes: int) -> None:
        self._client: Client = (
            builder.pool_max_idle_per_host(1).pool_idle_timeout(timedelta(seconds=IDLE_S)).build()
        )
        self._largest_bytes = largest_bytes
        self._loop = asyncio.get_running_loop()
        self._rests_until = 0.0

    def rested(self) -> bool:
        """Whether the next request goes over a connection that had one before."""
        return self._loop.time() < self._rests_until

    async def send(
        self, method: str, url: str, headers: Mapping[str, str], body: bytes, deadline: float
    ) -> HttpResponse:
        """Send a request, wait for its response to the last byte."""
        self._rests_until = 0.0
        try:
            builder = self._client.request(method, url)
            if headers:
                builder = builder.headers(headers)
            if body:
                builder = builder.body_bytes(body)
            left_s = max(deadline - self._loop.time(), 0.001)
            request = builder.timeout(timedelta(seconds=left_s)).build_streamed()
            response = await self._received(request)
        except (PyreqwestError, ValueError) as error:
            raise translated(error) from None
        if response.headers.get("connection", "").lower() != "close":
            self._rests_until = self._loop.time() + IDLE_S
        return response

    async def _received(self, request: StreamRequest) -> HttpResponse:
        async with request as response:
            pieces: list[Bytes] = []
            size = 0
            # Less than was asked for is all there is: `read` collects until the body ends.
            while (piece := await response.body_reader.read(READ_BYTES)) is not None:
                pieces.append(piece)
                size += len(piece)
                if size > self._largest_bytes:
                    raise BrokenOff(f"the body is longer than {self._largest_bytes:,} bytes")
                if len(piece) < READ_BYTES:
                    break
            return HttpResponse(response.status, _joined(response.headers), b"".join(pieces))

    async def close(self) -> None:
        await self._client.close()


def _joined(headers: HeaderMap) -> dict[str, str]:
    """Every header that is text, by its lower-case name; a comma joins values of one name (RFC 9110, 5.3)."""
    joined: dict[str, str] = {}
    for name in dict.fromkeys(headers.keys()):
        with contextlib.suppress(ValueError):  # pyreqwest's, for bytes that are not ASCII
            joined[name] = ", ".join(headers.getall(name))
    return joined
