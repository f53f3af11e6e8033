"""A dashboard as a process, and a proxy that puts it under a path."""

from __future__ import annotations

import http.client
import re
import subprocess
import sys
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import urlsplit

PREFIX = "/a/b"


@contextmanager
def dashboard(environment: Mapping[str, str], directory: Path, *options: str) -> Iterator[str]:
    """The URL of a dashboard on a free port."""
    command = [sys.executable, "-m", "scrapy", "dashboard", "--port", "0", *options]
    process = subprocess.Popen(command, cwd=directory, env=environment, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    try:
        found = re.fullmatch(r"dashboard at (http://127\.0\.0\.1:\d+/)\n", process.stdout.readline())
        assert found
        yield found[1]
    finally:
        process.terminate()
        try:
            assert process.wait(20) == 0
        finally:
            process.kill()
            process.wait()
            process.stdout.close()


@contextmanager
def under_a_path(url: str) -> Iterator[str]:
    """The URL of a proxy that passes `/a/b/` on as `/`, and knows nothing else."""
    origin = urlsplit(url).netloc

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self._pass_on()

        def do_POST(self) -> None:
            self._pass_on()

        def _pass_on(self) -> None:
            if not self.path.startswith(f"{PREFIX}/"):
                self.send_error(404)
                return
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            upstream = http.client.HTTPConnection(origin, timeout=60)
            upstream.request(self.command, self.path.removeprefix(PREFIX), body, dict(self.headers))
            answer = upstream.getresponse()
            self.send_response(answer.status)
            for name, value in answer.getheaders():
                if name.lower() not in {
                    "transfer-encoding",
                    "connection",
                    "content-length",
                    "date",
                    "server",
                }:
                    self.send_header(name, value)
            self.end_headers()
            try:
                while piece := answer.read1(65_536):
                    self.wfile.write(piece)
            except OSError:
                pass
            finally:
                upstream.close()

        def log_message(self, *_: object) -> None:
            """Nobody reads it."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}{PREFIX}/"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
