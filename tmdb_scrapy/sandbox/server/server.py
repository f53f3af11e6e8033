"""The HTTP server: paths to API, export and control; start, announce, stop."""

from __future__ import annotations

import argparse
import asyncio
import signal
import ssl

import uvloop
from aiohttp import web

from tmdb_scrapy.sandbox.server.calendar import Calendar
from tmdb_scrapy.sandbox.server.connections import CountingServer, reset
from tmdb_scrapy.sandbox.server.control import Control
from tmdb_scrapy.sandbox.server.exchange import Exchanges, outage
from tmdb_scrapy.sandbox.server.export import NOT_PUBLISHED, Export, ExportFile
from tmdb_scrapy.sandbox.server.journal import Journal
from tmdb_scrapy.sandbox.server.options import build_catalogue, build_settings
from tmdb_scrapy.sandbox.server.responses import PAGES, PORTAL_PATH, XML, Response, wire_bytes
from tmdb_scrapy.sandbox.server.stats import Stats

EXPORT_PATH = "/p/exports/"
CONTROL_PATH = "/_sandbox/"
_JOURNAL_FLUSH_S = 0.1
_BACKLOG = 1024
_PIECE = 256 * 1024
"""Bytes of an export file written between two waits for the client."""


class _Written(web.StreamResponse):
    """Tells aiohttp that the handler wrote the response itself; whole messages in one write are faster."""

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
        calendar = Calendar(build_catalogue(options))
        self._journal = Journal(options.journal)
        self._stats = Stats()
        self._exchanges = Exchanges(
            calendar,
            build_settings(options),
            options.seed,
            self._journal,
            self._stats,
            frozenset(options.key),
            frozenset(options.suspended_key),
        )
        self._export = Export(
            calendar, options.export_missing_days, options.export_malformed, options.export_fault
        )
        self._control = Control(self._exchanges, calendar, self._summary)
        self._builds: dict[ExportFile, asyncio.Task[bytes]] = {}

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

    def _summary(self) -> dict[str, object]:
        self._journal.flush()
        return self._stats.summary()

    def _admits(self, _address: str, open_connections: int) -> bool:
        limit = self._exchanges.settings.connections_per_ip
        return not limit or open_connections <= limit

    def _refused(self) -> None:
        self._stats.refused_connections += 1

    async def _handle(self, request: web.BaseRequest) -> web.StreamResponse:
        path, _, query = request.raw_path.partition("?")
        if path.startswith(EXPORT_PATH):
            return _Written(await self._serve_export(request, path.removeprefix(EXPORT_PATH)))
        if path.startswith(CONTROL_PATH):
            response = await self._control.respond(request, path.removeprefix(CONTROL_PATH), query)
            return _Written(await _write(request, wire_bytes(response, gzip=False)))
        if path == PORTAL_PATH:
            return _Written(await _write(request, wire_bytes(PAGES["login"], gzip=False)))
        return _Written(await self._exchanges.serve(request, path, query))

    async def _serve_export(self, request: web.BaseRequest, file_name: str) -> bool:
        down = self._exchanges.settings.down
        if down is True:
            reset(request.transport)
            return False
        page = outage(down) if down and down != "503" else None
        file = self._export.published(file_name)
        if page or file is None:
            refusal = page or Response(403, NOT_PUBLISHED, XML)
            return await _write(request, wire_bytes(refusal, gzip=False))
        body = self._export.spoilt(file, await self._whole(file))
        head = f"HTTP/1.1 200 OK\r\nContent-Type: application/gzip\r\nContent-Length: {len(body)}\r\n\r\n"
        keep_alive = await _write(request, head.encode())
        if request.method == "HEAD":
            return keep_alive
        for start in range(0, len(body), _PIECE):
            keep_alive = await _write(request, body[start : start + _PIECE])
        return keep_alive

    async def _whole(self, file: ExportFile) -> bytes:
        """The file, made by one thread however many ask for it. When an impatient client goes away, its next
        try finds the file further on."""
        build = self._builds.get(file)
        if build is None:
            build = self._builds[file] = asyncio.create_task(asyncio.to_thread(self._export.build, file))
            build.add_done_callback(lambda _: self._builds.pop(file))
        return await asyncio.shield(build)


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


async def _write(request: web.BaseRequest, data: bytes) -> bool:
    """Write and wait until the client keeps up; returns whether the connection can go on."""
    if request.transport is None or request.transport.is_closing():
        return False
    request.transport.write(data)
    await request.writer.drain()
    return request.keep_alive
