"""A sandbox in its own process, for tests, the demo and the benchmarks."""

from __future__ import annotations

import http.client
import ipaddress
import selectors
import signal
import ssl
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Self
from urllib.parse import urlsplit

import msgspec

from tmdb_scrapy.sandbox.catalogue.catalogue import Catalogue
from tmdb_scrapy.sandbox.server import journal
from tmdb_scrapy.sandbox.server.options import build_catalogue, parsed

_STARTS_WITHIN_S = 15
_STOPS_WITHIN_S = 5
_CONTROL_TIMEOUT_S = 60
_PREFIX = "sandbox: "
_CONTROL_ADDRESS = "127.0.0.254"
"""Control connections come from their own loopback address, so that a limit of connections for the crawler's
address neither refuses nor counts them."""


class SandboxError(RuntimeError):
    """The sandbox did not start, or refused a setting."""


class SandboxProcess:
    """Runs `python -m tmdb_scrapy.sandbox` with the given options; a context manager.

    A journal is always written; pass `--journal` to choose its place.
    """

    def __init__(self, args: Sequence[str] = ()) -> None:
        self._args = list(args)
        self._process: subprocess.Popen[str] | None = None
        self._folder: tempfile.TemporaryDirectory[str] | None = None
        self.journal_path = Path()
        self.url = ""

    @property
    def api_url(self) -> str:
        return f"{self.url}/3"

    @property
    def export_url(self) -> str:
        return f"{self.url}/p/exports"

    @property
    def pid(self) -> int:
        if self._process is None:
            raise SandboxError("the sandbox is not running")
        return self._process.pid

    def start(self) -> None:
        """Start and wait until it serves; raises SandboxError with its own words when it does not."""
        self._folder = tempfile.TemporaryDirectory(prefix="sandbox-")
        if "--journal" in self._args:
            self.journal_path = Path(self._args[self._args.index("--journal") + 1])
            args = self._args
        else:
            self.journal_path = Path(self._folder.name) / "journal.jsonl"
            args = [*self._args, "--journal", str(self.journal_path)]
        errors_path = Path(self._folder.name) / "stderr"
        with errors_path.open("w") as errors:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "tmdb_scrapy.sandbox", *args],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=errors,
                text=True,
            )
        line = _first_line(self._process)
        if not line.startswith(_PREFIX):
            said = errors_path.read_text().strip()
            self.close()
            raise SandboxError(f"the sandbox did not start within {_STARTS_WITHIN_S} s: {said or line!r}")
        self.url = line.removeprefix(_PREFIX).strip()

    def stop(self) -> int:
        """End it with SIGTERM and return its exit code; the journal can be read until `close`."""
        if self._process is None:
            return 0
        if self._process.poll() is None:
            self._process.send_signal(signal.SIGTERM)
            try:
                self._process.wait(_STOPS_WITHIN_S)
            except subprocess.TimeoutExpired:
                self._process.kill()
        code = self._process.wait()
        if self._process.stdout:
            self._process.stdout.close()
        return code

    def close(self) -> None:
        """Stop and remove the journal, unless its place was chosen."""
        self.stop()
        if self._folder is not None:
            self._folder.cleanup()

    def set(self, **settings: Any) -> dict[str, Any]:
        """Change settings while it runs (see `settings.Settings`); returns all present ones."""
        answer: dict[str, Any] = msgspec.json.decode(
            self._control("POST", "settings", msgspec.json.encode(settings))
        )
        return answer

    def stats(self) -> dict[str, Any]:
        answer: dict[str, Any] = msgspec.json.decode(self._control("GET", "stats"))
        return answer

    def catalogue(self, day: int = 0) -> Catalogue:
        """What the sandbox holds on a day, made anew in this process."""
        return build_catalogue(parsed(self._args)).at(day)

    def expected(self, kind: str, day: int | None = None) -> dict[int, str]:
        """How each ID of a kind that is exported on a day, the present one unless it is said, should end:
        kept, dropped or missing."""
        query = f"kind={kind}" if day is None else f"kind={kind}&day={day}"
        lines = msgspec.json.Decoder(dict[str, Any]).decode_lines(self._control("GET", f"expected?{query}"))
        return {line["id"]: line["outcome"] for line in lines}

    def journal(self) -> list[journal.Entry]:
        """Every API request that has ended so far."""
        if self._process is not None and self._process.poll() is None:
            self.stats()  # makes it write down what it holds
        return journal.read(self.journal_path)

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _control(self, method: str, path: str, body: bytes | None = None) -> bytes:
        where = urlsplit(self.url)
        host = ipaddress.ip_address(str(where.hostname))
        if host.is_unspecified:
            host = ipaddress.ip_address("127.0.0.1")
        source = (_CONTROL_ADDRESS, 0) if host.version == 4 and host.is_loopback else None
        connection: http.client.HTTPConnection
        if where.scheme == "https":
            # Our own child on this machine: there is nobody to mistake it for.
            context = ssl.create_default_context()
            context.check_hostname = False
            context.verify_mode = ssl.CERT_NONE
            connection = http.client.HTTPSConnection(
                str(host), where.port, timeout=_CONTROL_TIMEOUT_S, source_address=source, context=context
            )
        else:
            connection = http.client.HTTPConnection(
                str(host), where.port, timeout=_CONTROL_TIMEOUT_S, source_address=source
            )
        try:
            connection.request(method, f"/_sandbox/{path}", body, {"Connection": "close"})
            response = connection.getresponse()
            answer = response.read()
        finally:
            connection.close()
        if response.status != 200:
            raise SandboxError(f"{method} /_sandbox/{path} answered {response.status}: {answer.decode()}")
        return answer


def _first_line(process: subprocess.Popen[str]) -> str:
    """What the process prints first; "" when it ends or says nothing in time."""
    if process.stdout is None:
        return ""
    with selectors.DefaultSelector() as selector:
        selector.register(process.stdout, selectors.EVENT_READ)
        return process.stdout.readline() if selector.select(_STARTS_WITHIN_S) else ""
