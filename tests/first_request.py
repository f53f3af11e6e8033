"""Run in a world of `routes`: seconds until the API's client and the export's download have a response.

`python first_request.py ADDRESS` serves at ADDRESS and asks `routes.HOST`.
"""

from __future__ import annotations

import asyncio
import datetime
import gzip
import sys
import tempfile
import threading
import time
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import ClassVar

from tmdb_scrapy.downloader.direct import DirectConnections
from tmdb_scrapy.kinds import KINDS
from tmdb_scrapy.network import Proxies
from tmdb_scrapy.sources.download import fetch_newest

EXPORT = gzip.compress(b'{"id":7,"popularity":1.0}\n')


class Server(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self, address: str, port: int = 0) -> None:
        self.address_family = 10 if ":" in address else 2
        super().__init__((address, port), Handler)


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    silent: ClassVar[set[str]] = set()
    """The addresses at which nothing is answered any more."""

    def do_GET(self) -> None:
        if self.server.server_address[0] in self.silent:
            threading.Event().wait()
        self.send_response(200)
        self.send_header("Content-Length", str(len(EXPORT)))
        self.end_headers()
        self.wfile.write(EXPORT)

    def log_message(self, format: str, *arguments: object) -> None:
        """Silent."""


async def ask(url: str) -> None:
    connections = DirectConnections({}, 1_000)
    assert (await connections.send("GET", url, {})).body == EXPORT
    await connections.close()


def seed(url: str) -> None:
    today = datetime.date(2026, 1, 1)
    with tempfile.TemporaryDirectory() as directory:
        fetch_newest(KINDS["movies"], url, Path(directory), today, 0, lambda done, total: None, Proxies())


def main(address: str) -> None:
    with Server(address) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        url = f"http://api.test:{server.server_address[1]}"
        for first in (partial(asyncio.run, ask(f"{url}/")), partial(seed, url)):
            began = time.monotonic()
            first()
            print(time.monotonic() - began)
        server.shutdown()


if __name__ == "__main__":
    main(sys.argv[1])
