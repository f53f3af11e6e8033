"""The HTTP server: paths to API, export and control; start, announce, stop."""

from __future__ import annotations

import argparse
import asyncio
import signal
import ssl
from datetime import UTC, datetime

import msgspec
import uvloop
from aiohttp import web

from tmdb_scrapy.sandbox.catalogue.catalogue import Catalogue
from tmdb_scrapy.sandbox.server.api import Api, parse_query
from tmdb_scrapy.sandbox.server.changes import Changes
from tmdb_scrapy.sandbox.server.connections import CountingServer, address, reset
from tmdb_scrapy.sandbox.server.exchange import Exchanges
from tmdb_scrapy.sandbox.server.export import NOT_PUBLISHED, Export
from tmdb_scrapy.sandbox.server.journal import Journal
from tmdb_scrapy.sandbox.server.options import build_catalogue, build_settings
from tmdb_scrapy.sandbox.server.responses import Response, error, wire_bytes
from tmdb_scrapy.sandbox.server.stats import Stats

API_PATH = "/3"
EXPORT_PATH = "/p/exports"
CONTROL_PATH = "/_sandbox"
_JOURNAL_FLUSH_S = 0.1
_BACKLOG = 1024
_PIECE = 256 * 1024
"""Bytes of an export file written between two waits for the client."""


class _Written(web.StreamResponse):
    """Tells aiohttp that the handler wrote the answer itself; whole messages in one write are faster."""

    def __init__(self, keep_alive: bool) -> None:
        super().__init__()
        self._keep_alive = keep_alive

    async def prepare(self, request: web.BaseRequest) -> None:
        return None

    async def write_eof(self, data: bytes = b"") -> None:
        return None


class Sandbox:
    """One running sandbox."""

    def __init__(self, options: argparse.Namespace) -> None:
        self._catalogue: Catalogue = build_catalogue(options)
        self._journal = Journal(options.journal)
        self._stats = Stats()
        api = Api(
            self._catalogue,
            Changes(self._catalogue, options.seed),
            frozenset(options.key),
            frozenset(options.suspended_key),
        )
        self._exchanges = Exchanges(api, build_settings(options), options.seed, self._journal, self._stats)
        self._export = Export(
            self._catalogue, options.export_missing_days, options.export_malformed, options.export_fault
        )
        self._builds: dict[str, asyncio.Task[None]] = {}

    async def run(self, options: argparse.Namespace) -> None:
        """Serve until SIGTERM or SIGINT, after one line on stdout with the URL."""
        loop = asyncio.get_running_loop()
        stop = asyncio.Event()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, stop.set)
        http = CountingServer(self._handle, self._admits, self._refused)
        listener = await loop.create_server(
            http, options.host, options.port, ssl=_tls_context(options), backlog=_BACKLOG
        )
        host, port = listener.sockets[0].getsockname()[:2]
        scheme = "https" if options.tls_cert else "http"
        print(f"sandbox: {scheme}://{f'[{host}]' if ':' in host else host}:{port}", flush=True)
        flushing = asyncio.create_task(self._flush_journal())
        try:
            await stop.wait()
        finally:
            flushing.cancel()
            self._export.abandon()
            listener.close()
            http.reset_all()
            await http.shutdown(0)
            self._journal.close()

    async def _flush_journal(self) -> None:
        while True:
            await asyncio.sleep(_JOURNAL_FLUSH_S)
            self._journal.flush()

    def _admits(self, _address: str, open_connections: int) -> bool:
        limit = self._exchanges.settings.connections_per_ip
        return not limit or open_connections <= limit

    def _refused(self) -> None:
        self._stats.refused_connections += 1

    async def _handle(self, request: web.BaseRequest) -> web.StreamResponse:
        path, _, query = request.raw_path.partition("?")
        if path.startswith(f"{API_PATH}/"):
            return _Written(await self._exchanges.serve(request, path[len(API_PATH) + 1 :], query))
        if path.startswith(f"{EXPORT_PATH}/"):
            return _Written(await self._serve_export(request, path[len(EXPORT_PATH) + 1 :]))
        if path.startswith(f"{CONTROL_PATH}/"):
            answer = await self._control(request, path[len(CONTROL_PATH) + 1 :], query)
        else:
            answer = error(34)
        return _Written(await _write(request, wire_bytes(answer, gzip=False)))

    async def _serve_export(self, request: web.BaseRequest, file_name: str) -> bool:
        if self._exchanges.settings.down is True:
            reset(request.transport)
            return False
        kind = self._export.kind_of(file_name, datetime.now(UTC).date())
        if kind is None:
            return await _write(
                request, wire_bytes(Response(403, NOT_PUBLISHED, "application/xml"), gzip=False)
            )
        if kind not in self._builds:
            self._builds[kind] = asyncio.create_task(asyncio.to_thread(self._export.build, kind))
        # Shielded: when an impatient client goes away, its next try finds the file further on.
        await asyncio.shield(self._builds[kind])
        body = self._export.file(kind)
        head = f"HTTP/1.1 200 OK\r\nContent-Type: application/gzip\r\nContent-Length: {len(body)}\r\n\r\n"
        keep_alive = await _write(request, head.encode())
        if request.method == "HEAD":
            return keep_alive
        for start in range(0, len(body), _PIECE):
            keep_alive = await _write(request, body[start : start + _PIECE])
        return keep_alive

    async def _control(self, request: web.BaseRequest, path: str, query: str) -> Response:
        """Settings, counts and the truth, for this machine only."""
        if not _is_local(request):
            return Response(403, b'{"error":"only from the machine that runs the sandbox"}')
        if path == "settings":
            if request.method == "POST":
                try:
                    patch = msgspec.json.decode(await request.read(), type=dict)
                    self._exchanges.apply(self._exchanges.settings.changed(patch))
                except msgspec.MsgspecError as problem:
                    return Response(400, msgspec.json.encode({"error": str(problem)}))
            return Response(200, msgspec.json.encode(self._exchanges.settings))
        if path == "stats":
            self._journal.flush()
            return Response(200, msgspec.json.encode(self._stats.summary()))
        if path == "expected":
            kind: str = "people" if parse_query(query).get("kind") == "people" else "movies"
            lines = [{"id": number, "outcome": outcome} for number, outcome in self._catalogue.expected(kind)]
            return Response(200, msgspec.json.Encoder().encode_lines(lines), "application/jsonl")
        return error(34)


def serve(options: argparse.Namespace) -> None:
    """Run a sandbox until it is told to stop.

    Raises ValueError or OSError when the options cannot be used.
    """

    async def run() -> None:
        await Sandbox(options).run(options)

    uvloop.run(run())


def _tls_context(options: argparse.Namespace) -> ssl.SSLContext | None:
    if not options.tls_cert:
        return None
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(options.tls_cert, options.tls_key)
    return context


def _is_local(request: web.BaseRequest) -> bool:
    ip, _ = address(request.transport)
    own = request.transport.get_extra_info("sockname") if request.transport else None
    return ip.startswith("127.") or ip == "::1" or bool(own and ip == own[0])


async def _write(request: web.BaseRequest, data: bytes) -> bool:
    """Write and wait until the client keeps up; returns whether the connection can go on."""
    if request.transport is None or request.transport.is_closing():
        return False
    request.transport.write(data)
    await request.writer.drain()
    return request.keep_alive
