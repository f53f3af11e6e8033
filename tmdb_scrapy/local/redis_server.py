"""A Redis of this program's own: configured safely, started, stopped.

Append-only file on, eviction off, loopback unless told otherwise, never without a password, and without the
commands that reach beyond its data. Whatever it writes is its user's alone. Clients find its password as
`tmdb_scrapy.own_redis` tells; it is in no command line.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import signal
import socket
import subprocess
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Self

import redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from tmdb_scrapy import privacy
from tmdb_scrapy.local.redis_binary import RedisServerError, binary_for
from tmdb_scrapy.own_redis import (
    CONFIGURATION,
    DEFAULT_PORT,
    DIRECTORY,
    USER,
    add_password,
    keep_password,
    password_of,
    port_of,
    running,
)
from tmdb_scrapy.values import Secret, is_loopback

START_TIMEOUT_S = 20.0
LOAD_TIMEOUT_S = 600.0
"""From a slow disk, a ledger of millions and all that was appended since it was last rewritten."""
PORT_ATTEMPTS = 5
STOP_TIMEOUT_S = 30.0
LOADS = "it still loads its data"
REFUSES_US = "the one that answers has another password than REDIS_URL"
RIGHTS = "~* &* +@all -@dangerous +info +keys +client +config|get +flushall +flushdb"
"""What a client may do: read and write the data, and look. Not what writes files where it is told (CONFIG
SET, SAVE), loads code (MODULE), reaches other machines (REPLICAOF, MIGRATE) or ends the server. INFO and the
like count as dangerous in Redis, but read only."""
_LAST_WORDS = (
    "Failed listening on port",
    "Bad file format",
    "Can't handle RDB format",
    "Fatal error",
    "Wrong signature",
)


@dataclass(frozen=True)
class RedisServer:
    """One Redis with its data, configuration, log and pid file in `directory` (made with mode 0700)."""

    directory: Path = DIRECTORY
    port: int = DEFAULT_PORT
    bind: Sequence[str] = ("127.0.0.1",)
    password: str = field(default="", repr=False)
    """The user's choice; without one, it gets one of its own when it is first started."""

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
        return running(self.directory)

    @property
    def url(self) -> Secret:
        """Its REDIS_URL, complete with the password."""
        password = self.password or password_of(self.directory)
        return add_password(f"redis://127.0.0.1:{self.port}/0", password)

    def start(self) -> bool:
        """Start it and wait until it answers; False when it ran already. Raises `RedisServerError`."""
        self._refuse_open_doors()
        if pid := self.pid:
            if (port := port_of(self.directory)) != self.port:
                raise RedisServerError(
                    f"the Redis of {self.directory}/ (pid {pid}) runs on port {port}, not {self.port}: "
                    "correct REDIS_URL, or end it first with `make redis-stop`"
                )
            self._await_answer(self._log_size())
            return False
        binary = binary_for(self.directory)
        self.directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        self.directory.chmod(0o700)
        password = keep_password(self.directory, self.password)
        configuration = self.directory.resolve() / CONFIGURATION
        privacy.write(configuration, self._configuration(password).encode())
        begin = self._log_size()
        started = subprocess.run(
            [binary, str(configuration)], capture_output=True, text=True, check=False, umask=0o077
        )
        if started.returncode:
            raise RedisServerError(
                f"{binary} did not start: {started.stdout.strip()} {started.stderr.strip()}"
            )
        self._await_answer(begin)
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

    def _configuration(self, password: str) -> str:
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
        return "\n".join([*lines, *self._rights(password)]) + "\n"

    def _rights(self, password: str) -> list[str]:
        """Lines of the configuration about who may do what; the password is a hash there."""
        digest = hashlib.sha256(password.encode()).hexdigest()
        return [f"user {USER} on #{digest} {RIGHTS}"]

    def _refuse_open_doors(self) -> None:
        # Redis takes a minus before an address that may be missing.
        outside = [address for address in self.bind if not is_loopback(address.removeprefix("-"))]
        if outside and not self.password:
            raise RedisServerError(
                f"Redis would be open to everybody on {', '.join(outside)}: give REDIS_URL a password first"
            )

    def _await_answer(self, begin: int) -> None:
        """What its log says from `begin` on tells why it does not answer. Raises `RedisServerError`."""
        client = redis.Redis(
            host=self.bind[0],
            port=self.port,
            password=self.password or password_of(self.directory) or None,
            retry=Retry(NoBackoff(), 0),
        )
        began = time.monotonic()
        with contextlib.closing(client):
            while trouble := self._trouble(client):
                patience_s = LOAD_TIMEOUT_S if trouble == LOADS else START_TIMEOUT_S
                if time.monotonic() > began + patience_s:
                    break
                if trouble == REFUSES_US or (self.pid is None and self._last_words(begin)):
                    break
                time.sleep(0.05)
        if trouble:
            why = self._last_words(begin) or trouble
            raise RedisServerError(f"Redis did not start on port {self.port}: {why}; see {self._log}")

    def _trouble(self, client: redis.Redis) -> str:
        """Why it cannot be said yet that our server answers; empty when it does."""
        try:
            told = client.info()
        except redis.AuthenticationError:
            return REFUSES_US
        except redis.RedisError as error:
            return str(error)
        if told["process_id"] != self.pid:
            return "another Redis answers there"
        return LOADS if told["loading"] else ""

    def _log_size(self) -> int:
        return self._log.stat().st_size if self._log.exists() else 0

    def _last_words(self, begin: int) -> str:
        """Why it ended, by its log; empty when that tells nothing."""
        with contextlib.suppress(OSError):
            said = self._log.read_bytes()[begin:].decode("utf-8", "replace").splitlines()
            told = [line for line in said if any(words in line for words in _LAST_WORDS)]
            return told[-1].rpartition(" # ")[2] if told else ""
        return ""


def free_port() -> int:
    """A loopback port that nobody listens on now. Redis cannot be told to pick one and say which."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def _escaped(text: str) -> str:
    return text.replace("\\", "\\\\").replace('"', '\\"')
