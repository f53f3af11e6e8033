"""A TCP proxy that makes a server on this machine seem far away.

`python -m benchmarks.delaying_proxy PORT SECONDS` prints its own port and forwards to 127.0.0.1:PORT, holding
everything back for SECONDS in each direction, in order and without a limit of bandwidth.
"""

from __future__ import annotations

import asyncio
import subprocess
import sys
from types import TracebackType
from typing import Self, cast

import uvloop

from benchmarks.machine import on_core

HOST = "127.0.0.1"


class _End(asyncio.Protocol):
    """One end of a proxied connection; what it receives goes to `other`, later."""

    def __init__(self, delay_s: float) -> None:
        self._delay_s = delay_s
        self._later = asyncio.get_running_loop().call_later
        self.transport: asyncio.Transport | None = None
        self.other: _End | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast(asyncio.Transport, transport)

    def data_received(self, data: bytes) -> None:
        self._later(self._delay_s, self._forward, data)

    def connection_lost(self, exc: Exception | None) -> None:
        self._later(self._delay_s, self._close_other)

    def _forward(self, data: bytes) -> None:
        if self.other and self.other.transport and not self.other.transport.is_closing():
            self.other.transport.write(data)

    def _close_other(self) -> None:
        if self.other and self.other.transport:
            self.other.transport.close()


class _Near(_End):
    """The client's end: connects onwards when the client comes."""

    def __init__(self, port: int, delay_s: float) -> None:
        super().__init__(delay_s)
        self._port = port

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        super().connection_made(transport)
        cast(asyncio.Transport, transport).pause_reading()
        self._connecting = asyncio.ensure_future(self._connect())

    async def _connect(self) -> None:
        loop = asyncio.get_running_loop()
        try:
            _, far = await loop.create_connection(lambda: _End(self._delay_s), HOST, self._port)
        except OSError:
            self._close()
            return
        self.other, far.other = far, self
        assert self.transport is not None
        if not self.transport.is_closing():
            self.transport.resume_reading()

    def _close(self) -> None:
        if self.transport:
            self.transport.close()


class DelayingProxy:
    """The proxy in a process of its own; a context manager."""

    def __init__(self, port: int, delay_s: float, core: int) -> None:
        command = [sys.executable, "-m", "benchmarks.delaying_proxy", str(port), str(delay_s)]
        with on_core(core):
            self._process = subprocess.Popen(
                command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True
            )
        assert self._process.stdout is not None
        self.port = int(self._process.stdout.readline())

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._process.terminate()
        self._process.communicate()


async def _serve(port: int, delay_s: float) -> None:
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: _Near(port, delay_s), HOST, 0)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()


if __name__ == "__main__":
    uvloop.run(_serve(int(sys.argv[1]), float(sys.argv[2])))
