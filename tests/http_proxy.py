"""A proxy as companies have them: CONNECT for https, whole URLs for http, a password if it is told to ask.

It knows no hosts: whatever a client asks for is reached on loopback, at the port asked for. So a
test can use host names that only the proxy can reach, and needs no namespace.
"""

from __future__ import annotations

import base64
import contextlib
import socket
import threading
from collections.abc import Iterator
from types import TracebackType
from typing import Self
from urllib.parse import urlsplit

SILENCE_S = 20.0


class HttpProxy:
    """`with HttpProxy() as proxy:`; it ends with the block."""

    def __init__(self, user: str = "", password: str = "") -> None:
        self.requests: list[str] = []
        """The first line of each request, without its HTTP version."""
        self._credentials = f"{user}:{password}" if user else ""
        self._server = socket.create_server(("127.0.0.1", 0))
        self.address = f"127.0.0.1:{self._server.getsockname()[1]}"
        self._open: set[socket.socket] = set()
        self._threads = [threading.Thread(target=self._serve, daemon=True)]

    @property
    def url(self) -> str:
        """With the credentials that it asks for."""
        return f"http://{f'{self._credentials}@' if self._credentials else ''}{self.address}"

    def __enter__(self) -> Self:
        self._threads[0].start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        # Closing alone would not wake the thread that accepts.
        self._server.shutdown(socket.SHUT_RDWR)
        for one in list(self._open):
            with contextlib.suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)
        for thread in self._threads:
            thread.join()
        self._server.close()

    def _serve(self) -> None:
        while True:
            try:
                client, _ = self._server.accept()
            except OSError:
                return
            thread = threading.Thread(target=self._converse, args=(client,), daemon=True)
            self._threads.append(thread)
            thread.start()

    def _converse(self, client: socket.socket) -> None:
        client.settimeout(SILENCE_S)
        with self._opened(client), contextlib.suppress(OSError):
            head, rest = _head(client)
            line, *fields = head.split("\r\n")
            method, target, version = line.split(" ")
            self.requests.append(f"{method} {target}")
            if not self._may_pass(fields):
                client.sendall(
                    b"HTTP/1.1 407 Proxy Authentication Required\r\nProxy-Authenticate: Basic realm=x\r\n"
                    b"Content-Length: 0\r\nConnection: close\r\n\r\n"
                )
                return
            url = urlsplit(f"//{target}" if method == "CONNECT" else target)
            with self._opened(socket.create_connection(("127.0.0.1", url.port or 0), SILENCE_S)) as server:
                if method == "CONNECT":
                    client.sendall(b"HTTP/1.1 200 Connection Established\r\n\r\n")
                else:
                    kept = [each for each in fields if not each.lower().startswith("proxy-")]
                    server.sendall("\r\n".join([f"{method} {url.path} {version}", *kept, "", ""]).encode())
                server.sendall(rest)
                back = threading.Thread(target=_pump, args=(server, client), daemon=True)
                back.start()
                _pump(client, server)
                back.join()

    def _may_pass(self, fields: list[str]) -> bool:
        basic = base64.b64encode(self._credentials.encode()).decode()
        return not self._credentials or f"proxy-authorization: basic {basic}".lower() in [
            field.lower() for field in fields
        ]

    @contextlib.contextmanager
    def _opened(self, one: socket.socket) -> Iterator[socket.socket]:
        self._open.add(one)
        try:
            with one:
                yield one
        finally:
            self._open.discard(one)


def _head(client: socket.socket) -> tuple[str, bytes]:
    read = b""
    while b"\r\n\r\n" not in read:
        block = client.recv(1 << 16)
        if not block:
            raise ConnectionError
        read += block
    head, _, rest = read.partition(b"\r\n\r\n")
    return head.decode("latin-1"), rest


def _pump(source: socket.socket, sink: socket.socket) -> None:
    with contextlib.suppress(OSError):
        while block := source.recv(1 << 16):
            sink.sendall(block)
    with contextlib.suppress(OSError):
        sink.shutdown(socket.SHUT_WR)
