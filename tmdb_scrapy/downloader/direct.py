"""HTTP/1.1 to the API without a proxy, over connections of our own: asked a million times of one server.

The program's client (see `tmdb_scrapy.network`) wakes the event loop from another thread for each response: a
crawl over it had 0.75 of the rate of one over these. Responses are parsed by httptools, which has Node.js's
parser; addresses are tried side by side by aiohappyeyeballs (RFC 8305). There are no redirects, cookies and
proxies here.
"""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Mapping
from socket import SOCK_STREAM, gaierror
from typing import NamedTuple, cast
from urllib.parse import urlsplit

import httptools
from aiohappyeyeballs import start_connection

from tmdb_scrapy.downloader.connections import HttpResponse
from tmdb_scrapy.network import BrokenOff, Dropped, HostNotFound, Unreachable, Untrusted
from tmdb_scrapy.open_files import ADVICE, is_out_of_files

IDLE_S = 30.0
"""A connection that rested for longer is not used again: the server may be about to close it."""
NEXT_ADDRESS_S = 0.25
"""How long an address may be silent before the next one of the host is tried beside it (RFC 8305, 5)."""
REPEATABLE = frozenset({"GET", "HEAD"})


class Origin(NamedTuple):
    """A server: where its connections go."""

    host: str
    port: int
    secure: bool
    name: str
    """For the Host header."""


class DirectConnections:
    """Sends requests, each on a connection of its own while it lasts, and keeps it for the next ones. For one
    event loop."""

    def __init__(self, headers: Mapping[str, str], largest_bytes: int) -> None:
        """`headers` go with every request; `largest_bytes` is how long a body may be, as it is on the wire.

        Certificates are those that the system trusts, or SSL_CERT_FILE and SSL_CERT_DIR.
        """
        self._trust = ssl.create_default_context()
        self._headers = headers
        self._largest_bytes = largest_bytes
        self._idle: dict[Origin, list[_Connection]] = {}
        self._all: set[_Connection] = set()
        self._origins: dict[str, Origin] = {}
        self._loop = asyncio.get_running_loop()

    async def send(
        self, method: str, url: str, headers: Mapping[str, str], body: bytes = b"", timeout_s: float = 30.0
    ) -> HttpResponse:
        """The response to a request.

        Raises `TimeoutError` after `timeout_s`, the errors of `tmdb_scrapy.network`, and `ValueError` for
        what cannot be put into a request. Their texts do not contain the URL. `Dropped` is about a new
        connection: one that the server closed while it rested is replaced.
        """
        origin, target = self._parted(url)
        sent = {**self._headers, **headers} if headers else self._headers
        request = _composed(method, target, origin, sent, body)
        deadline = self._loop.time() + timeout_s
        rested = self._rested(origin)
        while True:
            connection = rested or await self._connected(origin, deadline)
            try:
                response = await connection.send(request, deadline, method == "HEAD")
            except Dropped:
                if rested is None or method not in REPEATABLE:
                    raise
                # Closed while it rested, most likely. The next try is on a new one: a request at which the
                # server breaks down would end all that rest.
                rested = None
            else:
                if connection.usable(self._loop.time()):
                    self._idle[origin].append(connection)
                return response
            finally:
                connection.finish()

    async def close(self) -> None:
        """End all connections; whoever waits for a response gets an error."""
        for connection in list(self._all):
            connection.close()
        self._idle.clear()

    def _parted(self, url: str) -> tuple[Origin, str]:
        slash = url.find("/", 8)
        start, target = (url, "/") if slash < 0 else (url[:slash], url[slash:])
        origin = self._origins.get(start)
        if origin is None:
            parts = urlsplit(start)
            if parts.scheme not in {"http", "https"} or not parts.hostname:
                raise ValueError("only http:// and https:// URLs can be asked for")
            secure = parts.scheme == "https"
            name = parts.netloc.rpartition("@")[2]
            origin = Origin(parts.hostname, parts.port or (443 if secure else 80), secure, name)
            self._origins[start] = origin
            self._idle[origin] = []
        return origin, target

    def _rested(self, origin: Origin) -> _Connection | None:
        idle = self._idle[origin]
        while idle:
            connection = idle.pop()
            if connection.usable(self._loop.time()):
                return connection
            connection.close()
        return None

    async def _connected(self, origin: Origin, deadline: float) -> _Connection:
        try:
            async with asyncio.timeout_at(deadline):
                found = await self._loop.getaddrinfo(origin.host, origin.port, type=SOCK_STREAM)
                socket = await start_connection(
                    found, happy_eyeballs_delay=NEXT_ADDRESS_S, interleave=1, loop=self._loop
                )
                _, connection = await self._loop.create_connection(
                    lambda: _Connection(self._all, self._largest_bytes, self._loop),
                    sock=socket,
                    ssl=self._trust if origin.secure else None,
                    server_hostname=origin.host if origin.secure else None,
                )
        except TimeoutError:
            raise
        except gaierror as error:
            raise HostNotFound(str(error)) from None
        except ssl.SSLCertVerificationError as error:
            raise Untrusted(error.verify_message) from None
        except OSError as error:
            advice = f": {ADVICE}" if is_out_of_files(error) else ""
            raise Unreachable(f"{origin.name}: {error}{advice}") from None
        return connection


class _Connection(asyncio.Protocol):
    """One connection: a request, its response, the next request."""

    def __init__(
        self, everybody: set[_Connection], largest_bytes: int, loop: asyncio.AbstractEventLoop
    ) -> None:
        self._everybody = everybody
        self._largest_bytes = largest_bytes
        self._loop = loop
        self._parser = httptools.HttpResponseParser(self)
        self._transport: asyncio.Transport | None = None
        self._waiter: asyncio.Future[HttpResponse] | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._rested_at = 0.0
        self._reset(False)

    def _reset(self, bodyless: bool) -> None:
        self._headers: dict[str, str] = {}
        self._pieces: list[bytes] = []
        self._size = 0
        self._began = False
        self._in_body = False
        self._bodyless = bodyless

    async def send(self, request: bytes, deadline: float, bodyless: bool) -> HttpResponse:
        """Send a request, wait for its response."""
        assert self._transport is not None
        self._reset(bodyless)
        self._waiter = self._loop.create_future()
        self._timer = self._loop.call_at(deadline, self._time_out)
        self._transport.write(request)
        return await self._waiter

    def finish(self) -> None:
        """After `send`, however it ended. A connection whose response is not whole is of no more use."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        waiter, self._waiter = self._waiter, None
        if waiter is None or not waiter.done() or waiter.cancelled() or waiter.exception():
            self.close()

    def usable(self, now: float) -> bool:
        """Whether another request may be sent."""
        alive = self._transport is not None and not self._transport.is_closing()
        return alive and now - self._rested_at < IDLE_S

    def close(self) -> None:
        if self._transport is not None:
            self._transport.abort()
        self._fail("it was closed")

    # What the event loop calls

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)
        self._rested_at = self._loop.time()
        self._everybody.add(self)

    def data_received(self, data: bytes) -> None:
        self._began = True
        if self._waiter is None:
            self.close()  # nobody asked
            return
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserError as error:
            self._fail(f"what came is not HTTP: {error}")
            self.close()
        except httptools.HttpParserUpgrade:
            self._fail("the server went over to another protocol")
            self.close()

    def connection_lost(self, exc: Exception | None) -> None:
        self._everybody.discard(self)
        sized = "content-length" in self._headers or "transfer-encoding" in self._headers
        if self._in_body and not sized and exc is None:
            self._succeed()  # such a body ends with its connection
        self._fail(str(exc) if exc else "the server closed it")
        self._transport = None

    # What the parser calls

    def on_message_begin(self) -> None:
        if self._waiter is None or self._waiter.done():
            raise ConnectionError("nobody asked")  # ends the parsing, and with it the connection

    def on_header(self, name: bytes, value: bytes) -> None:
        key, text = name.decode("latin-1").lower(), value.decode("latin-1")
        self._headers[key] = f"{self._headers[key]}, {text}" if key in self._headers else text

    def on_headers_complete(self) -> None:
        self._in_body = self._parser.get_status_code() >= 200
        if self._bodyless:
            self._succeed()
            self.close()

    def on_body(self, piece: bytes) -> None:
        self._pieces.append(piece)
        self._size += len(piece)
        if self._size > self._largest_bytes:
            self._fail(f"the body is longer than {self._largest_bytes:,} bytes")
            self.close()

    def on_message_complete(self) -> None:
        if self._parser.get_status_code() < 200:
            self._headers = {}  # an interim response (103 Early Hints): the real one follows
            return
        self._succeed()
        if not self._parser.should_keep_alive() and self._transport is not None:
            self._transport.close()

    def _succeed(self) -> None:
        if self._waiter is not None and not self._waiter.done():
            self._rested_at = self._loop.time()
            body = self._pieces[0] if len(self._pieces) == 1 else b"".join(self._pieces)
            self._waiter.set_result(HttpResponse(self._parser.get_status_code(), self._headers, body))
            self._in_body = False

    def _fail(self, why: str) -> None:
        if self._waiter is not None and not self._waiter.done():
            ended = BrokenOff if self._began else Dropped
            self._waiter.set_exception(ended(f"the connection ended early: {why}"))

    def _time_out(self) -> None:
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_exception(TimeoutError())


def _composed(method: str, target: str, origin: Origin, headers: Mapping[str, str], body: bytes) -> bytes:
    lines = [f"{method} {target.partition('#')[0]} HTTP/1.1", f"Host: {origin.name}"]
    lines += [f"{name}: {value}" for name, value in headers.items()]
    if body:
        lines.append(f"Content-Length: {len(body)}")
    if " " in target or not all(map(str.isprintable, lines)):
        raise ValueError("a space or control character in a URL or header cannot be sent")
    return "\r\n".join(lines).encode("latin-1") + b"\r\n\r\n" + body
