"""A server that says exactly what a test tells it to."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

from tmdb_scrapy.downloader.http import Connections

Script = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]
LARGEST_BYTES = 1000


class Server:
    """Runs `script` for each connection and counts them."""

    def __init__(self, script: Script) -> None:
        self._script = script
        self.connections = 0
        self.url = ""

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        try:
            await self._script(reader, writer)
        finally:
            writer.close()


@asynccontextmanager
async def asking(script: Script) -> AsyncIterator[tuple[Server, Connections]]:
    server = Server(script)
    listener = await asyncio.start_server(server.serve, "127.0.0.1", 0)
    server.url = f"http://127.0.0.1:{listener.sockets[0].getsockname()[1]}"
    connections = Connections(ssl.create_default_context(), LARGEST_BYTES)
    try:
        yield server, connections
    finally:
        connections.close()
        listener.close()


def always(*answers: bytes) -> Script:
    """Answers each request on a connection with the next of `answers`, then closes."""

    async def script(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        for answer in answers:
            await reader.readuntil(b"\r\n\r\n")
            writer.write(answer)
            await writer.drain()

    return script


def sized(body: bytes, *headers: bytes) -> bytes:
    lines = [b"HTTP/1.1 200 OK", b"Content-Length: %d" % len(body), *headers]
    return b"\r\n".join(lines) + b"\r\n\r\n" + body
