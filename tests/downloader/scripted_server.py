"""A server that says exactly what a test tells it to."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import struct
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

from pyreqwest.client import ClientBuilder

from tmdb_scrapy.downloader.connections import Connections
from tmdb_scrapy.downloader.direct import DirectConnections
from tmdb_scrapy.network import Proxies, prepared

Script = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]
LARGEST_BYTES = 1000


class Server:
    """Runs `script` for each connection and counts them."""

    def __init__(self, script: Script) -> None:
        self._script = script
        self._open: set[asyncio.Task[None]] = set()
        self.connections = 0
        self.url = ""

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        task = asyncio.current_task()
        assert task is not None
        self._open.add(task)
        try:
            await self._script(reader, writer)
        except asyncio.CancelledError:  # the test is over
            writer.transport.abort()
        finally:
            writer.close()
            self._open.discard(task)

    async def hang_up(self) -> None:
        """End all connections."""
        ending = list(self._open)
        for task in ending:
            task.cancel()
        await asyncio.gather(*ending)
        await asyncio.sleep(0)  # the transports' own last calls


@asynccontextmanager
async def serving(script: Script) -> AsyncIterator[Server]:
    server = Server(script)
    listener = await asyncio.start_server(server.serve, "127.0.0.1", 0)
    server.url = f"http://127.0.0.1:{listener.sockets[0].getsockname()[1]}"
    try:
        yield server
    finally:
        listener.close()
        await server.hang_up()


def programs_client() -> Connections:
    """Of what asks through a proxy, and other servers."""
    return Connections(lambda: prepared(ClientBuilder(), Proxies()), LARGEST_BYTES)


def direct_client() -> DirectConnections:
    """Of what asks the API."""
    return DirectConnections({"User-Agent": "a-test"}, LARGEST_BYTES)


a_client: Callable[[], Connections | DirectConnections] = programs_client
"""Which of them `asking` gives; a test module that is about both replaces it."""


@asynccontextmanager
async def asking(script: Script) -> AsyncIterator[tuple[Server, Connections | DirectConnections]]:
    async with serving(script) as server:
        connections = a_client()
        try:
            yield server, connections
        finally:
            await connections.close()


def always(*answers: bytes) -> Script:
    """Answers each request on a connection with the next of `answers`, then closes."""

    async def script(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        for answer in answers:
            await reader.readuntil(b"\r\n\r\n")
            writer.write(answer)
            await writer.drain()

    return script


def sized(body: bytes, *headers: bytes, status: int = 200) -> bytes:
    lines = [b"HTTP/1.1 %d Words" % status, b"Content-Length: %d" % len(body), *headers]
    return b"\r\n".join(lines) + b"\r\n\r\n" + body


class Answers:
    """A script: answers requests, on whatever connection, one after another, the last for ever. With `RESET`
    the connection ends by a reset instead."""

    RESET = b""

    def __init__(self, *answers: bytes) -> None:
        self.answers = list(answers)
        self.requests: list[bytes] = []
        self.times: list[float] = []
        """When they came, by the loop's clock."""

    async def __call__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(asyncio.IncompleteReadError, ConnectionError):
            while True:
                self.requests.append(await reader.readuntil(b"\r\n\r\n"))
                self.times.append(asyncio.get_running_loop().time())
                answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
                if answer == self.RESET:
                    _reset(writer)
                    return
                writer.write(answer)
                await writer.drain()


def _reset(writer: asyncio.StreamWriter) -> None:
    no_linger = struct.pack("ii", 1, 0)
    writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, no_linger)
    writer.transport.abort()
