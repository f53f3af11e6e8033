"""The API under measurement: nginx with ready answers where it is installed, else the sandbox.

Both keep the server's own record of every request, which throughput is computed from.
"""

from __future__ import annotations

import contextlib
import http.client
import os
import resource
import shutil
import signal
import ssl
import subprocess
import time
from abc import ABC, abstractmethod
from pathlib import Path
from types import TracebackType
from typing import NamedTuple, Self

from benchmarks.authority import HOST, Authority
from benchmarks.bodies import SEED, Mix, write_gzipped
from benchmarks.machine import on_core
from benchmarks.processes import look_at
from tmdb_scrapy.local.redis_server import free_port
from tmdb_scrapy.sandbox.server.process import SandboxProcess

START_TIMEOUT_S = 10.0
PORT_ATTEMPTS = 5
SPARE_FILES = 512
"""For connections and logs."""
_PORT_TAKEN = "Address already in use"

_NGINX = """
daemon off;
master_process off;
worker_processes 1;
{user}
pid {root}/nginx.pid;
error_log {root}/error.log;
events {{ worker_connections 1024; }}
http {{
    log_format times '$msec $request_time $status $uri';
    access_log {root}/access.log times;
    client_body_temp_path {root}/temporary;
    proxy_temp_path {root}/temporary;
    fastcgi_temp_path {root}/temporary;
    uwsgi_temp_path {root}/temporary;
    scgi_temp_path {root}/temporary;
    default_type "application/json;charset=utf-8";
    keepalive_requests 10000000;
    open_file_cache max={files} inactive=600s;
    server {{
        listen {host}:{port} ssl;
        ssl_certificate {certificate};
        ssl_certificate_key {key};
        root {root}/bodies;
        gzip_static always;
    }}
}}
"""


class Answered(NamedTuple):
    """A request by the server's clock, seconds since the epoch."""

    arrived: float
    ended: float
    status: int


class ApiServer(ABC):
    """A server with answers for `ids`; a context manager."""

    name: str
    url: str
    ids: list[int]
    mix: Mix

    @property
    def api_url(self) -> str:
        return f"{self.url}/3"

    @property
    @abstractmethod
    def pid(self) -> int: ...

    @abstractmethod
    def start(self) -> None: ...

    @abstractmethod
    def stop(self) -> None: ...

    @abstractmethod
    def answered(self, since: float) -> list[Answered]:
        """Movies that were asked for and answered since a moment, in the order in which they ended."""

    def cpu_s(self) -> float:
        """Processor time used so far."""
        sample = look_at(self.pid)
        assert sample is not None  # it runs as long as this object is in use
        return sample.cpu_s

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()


class NginxServer(ApiServer):
    """nginx, one process on one core, bodies gzipped beforehand on tmpfs."""

    name = "nginx, static gzipped bodies on tmpfs"

    def __init__(self, root: Path, mix: Mix, movies: int, authority: Authority, core: int) -> None:
        self.mix = mix
        self.ids = write_gzipped(mix, movies, root / "bodies")
        self._root = root
        self._authority = authority
        self._core = core
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def pid(self) -> int:
        assert self._process is not None
        return self._process.pid

    def start(self) -> None:
        for _ in range(PORT_ATTEMPTS):
            if self._started(free_port()):
                return
            # Somebody may have taken the port between finding and binding it.
            if _PORT_TAKEN not in self._errors():
                break
        raise RuntimeError(f"nginx did not start: {self._errors()[-500:]}")

    def _started(self, port: int) -> bool:
        self.url = f"https://{HOST}:{port}"
        self._configure(port)
        with on_core(self._core):
            self._process = subprocess.Popen(
                ["nginx", "-p", str(self._root), "-c", "nginx.conf", "-e", str(self._root / "error.log")],
                stdin=subprocess.DEVNULL,
            )
        deadline = time.monotonic() + START_TIMEOUT_S
        while not self._answers():
            if self._process.poll() is not None or time.monotonic() > deadline:
                self.stop()
                return False
            time.sleep(0.02)
        return True

    def _configure(self, port: int) -> None:
        (self._root / "error.log").unlink(missing_ok=True)
        (self._root / "nginx.conf").write_text(
            _NGINX.format(
                root=self._root,
                files=_files_to_keep_open(),
                host=HOST,
                port=port,
                certificate=self._authority.certificate,
                key=self._authority.key,
                user="user root;" if os.geteuid() == 0 else "",
            )
        )

    def _errors(self) -> str:
        path = self._root / "error.log"
        return path.read_text(errors="replace") if path.exists() else ""

    def _answers(self) -> bool:
        context = ssl.create_default_context()
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        connection = http.client.HTTPSConnection(*_address(self.url), timeout=2, context=context)
        with contextlib.suppress(OSError), contextlib.closing(connection):
            connection.request("GET", f"/3/movie/{self.ids[0]}")
            return connection.getresponse().status == 200
        return False

    def stop(self) -> None:
        if self._process is not None:
            self._process.send_signal(signal.SIGTERM)
            self._process.wait(10)

    def answered(self, since: float) -> list[Answered]:
        found = []
        for line in (self._root / "access.log").read_text().splitlines():
            ended, took, status, _ = line.split(" ", 3)
            if float(ended) >= since:
                found.append(Answered(float(ended) - float(took), float(ended), int(status)))
        return found


class SandboxServer(ApiServer):
    """The project's stand-in TMDb, for machines without nginx and where the wire has to be long.

    `catalogue` is how many movies it has in all, those that are deleted included.
    """

    name = "the sandbox"

    def __init__(
        self, mix: Mix, ids: list[int], catalogue: int, authority: Authority, core: int, *options: str
    ) -> None:
        self.mix = mix
        self.ids = ids
        self._core = core
        self._sandbox = SandboxProcess(
            [
                f"--seed={SEED}", f"--movies={catalogue}", "--people=0", f"--body-size={mix.fixed_bytes}",
                f"--tls-cert={authority.certificate}", f"--tls-key={authority.key}", *options,
            ]
        )  # fmt: skip

    @property
    def pid(self) -> int:
        return self._sandbox.pid

    @property
    def url(self) -> str:  # type: ignore[override]
        return self._sandbox.url

    def start(self) -> None:
        with on_core(self._core):
            self._sandbox.start()

    def stop(self) -> None:
        self._sandbox.close()

    def move_away(self, seconds: float) -> None:
        """From now on every answer comes so many seconds later."""
        self._sandbox.set(latency_ms=1000 * seconds)

    @property
    def export_url(self) -> str:
        return self._sandbox.export_url

    def be(self, day: int) -> None:
        """It is another day, so many after the first."""
        self._sandbox.set(day=day)

    def requests(self) -> int:
        """To the API, so far."""
        return int(self._sandbox.stats()["requests"])

    def answered(self, since: float) -> list[Answered]:
        return [
            Answered(entry.t, entry.end, entry.status)
            for entry in self._sandbox.journal()
            if entry.id and entry.t >= since
        ]


def _files_to_keep_open() -> int:
    """How many bodies nginx may hold open: each counts against the limit of the process, and it answers 500
    when that is reached."""
    return max(resource.getrlimit(resource.RLIMIT_NOFILE)[0] - SPARE_FILES, SPARE_FILES)


def has_nginx() -> bool:
    """Whether nginx is on the PATH (Debian: `apt install nginx-light`)."""
    return shutil.which("nginx") is not None


def roomy_directory(needed_bytes: int) -> Path | None:
    """A directory in memory with enough room, if there is one."""
    shared = Path("/dev/shm")
    with contextlib.suppress(OSError):
        if os.access(shared, os.W_OK) and shutil.disk_usage(shared).free > 2 * needed_bytes:
            return shared
    return None


def _address(url: str) -> tuple[str, int]:
    host, _, port = url.removeprefix("https://").rpartition(":")
    return host, int(port)
