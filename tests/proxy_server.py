"""A proxy under test: CONNECT with a password, or SOCKS 5; it leads every name to one port of loopback."""

from __future__ import annotations

import asyncio
import base64
import contextlib
import struct
import threading
from collections.abc import Iterator
from contextlib import contextmanager

USER, PASSWORD = "us@er", "pa:ss/word"


class ProxyServer:
    """Serves in a thread of its own. `targets` are the hosts and ports that were asked for."""

    def __init__(self, leads_to: int, socks: bool = False) -> None:
        self.port = 0
        self.targets: list[str] = []
        self.refused = 0
        self.knows_the_password = True
        self._leads_to = leads_to
        self._converse = self._socks if socks else self._connect
        self._loop = asyncio.new_event_loop()
        self._server: asyncio.Server | None = None
        self._open: set[asyncio.StreamWriter] = set()

    def open(self) -> None:
        """Listen, on the same port as before if there was one."""
        asyncio.run_coroutine_threadsafe(self._listen(), self._loop).result(10)

    def close(self) -> None:
        """Listen no more, and cut all connections."""
        asyncio.run_coroutine_threadsafe(self._hang_up(), self._loop).result(10)

    @contextmanager
    def running(self) -> Iterator[ProxyServer]:
        thread = threading.Thread(target=self._loop.run_forever)
        thread.start()
        try:
            self.open()
            yield self
        finally:
            self.close()
            self._loop.call_soon_threadsafe(self._loop.stop)
            thread.join()
            self._loop.close()

    async def _listen(self) -> None:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", self.port)
        self.port = self._server.sockets[0].getsockname()[1]

    async def _hang_up(self) -> None:
        if self._server is not None:
            self._server.close()
        for writer in self._open:
            writer.transport.abort()
        while tasks := asyncio.all_tasks() - {asyncio.current_task()}:
            await asyncio.wait(tasks)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._open.add(writer)
        with contextlib.suppress(asyncio.IncompleteReadError, ConnectionError):
            if await self._converse(reader, writer):
                await self._relay(reader, writer)
        writer.close()
        self._open.discard(writer)

    async def _connect(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        head = (await reader.readuntil(b"\r\n\r\n")).decode()
        token = base64.b64encode(f"{USER}:{PASSWORD}".encode()).decode()
        if not self.knows_the_password or f"basic {token}".lower() not in head.lower():
            self.refused += 1
            writer.write(b"HTTP/1.1 407 Who are you\r\nContent-Length: 0\r\n\r\n")
            return False
        self.targets.append(head.split()[1])
        writer.write(b"HTTP/1.1 200 Go on\r\n\r\n")
        return True

    async def _socks(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        """RFC 1928 without authentication, by name."""
        _, methods = await reader.readexactly(2)
        await reader.readexactly(methods)
        writer.write(b"\x05\x00")
        *_, length = await reader.readexactly(5)
        name = (await reader.readexactly(length)).decode()
        (port,) = struct.unpack(">H", await reader.readexactly(2))
        self.targets.append(f"{name}:{port}")
        writer.write(b"\x05\x00\x00\x01\x7f\x00\x00\x01\x00\x00")
        return True

    async def _relay(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        there, onward = await asyncio.open_connection("127.0.0.1", self._leads_to)
        self._open.add(onward)
        try:
            await asyncio.gather(_copy(reader, onward), _copy(there, writer))
        finally:
            onward.close()
            self._open.discard(onward)


async def _copy(source: asyncio.StreamReader, sink: asyncio.StreamWriter) -> None:
    with contextlib.suppress(ConnectionError):
        while block := await source.read(1 << 16):
            sink.write(block)
            await sink.drain()
    sink.close()
