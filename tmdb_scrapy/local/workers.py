"""The workers of this machine as one: start them, replace what was killed, stop them."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path

from tmdb_scrapy import privacy

RESTARTS = 5
"""How many workers that died by a signal are replaced; more deaths than that have a cause to look at."""
STOP_TIMEOUT_S = 60.0
GRACE_S = 1.0


class Workers:
    """Some `scrapy crawl KIND` processes, each with its log under `logs`."""

    def __init__(self, kind: str, count: int, logs: Path) -> None:
        self._kind = kind
        self._logs = logs
        self._processes: dict[subprocess.Popen[bytes], tuple[Path, int]] = {}
        """Each worker, its log, and where in it the worker's own lines begin."""
        self._restarts = 0
        self._started = 0
        privacy.directory(logs)
        for _ in range(count):
            self._start()

    def _start(self) -> None:
        self._started += 1
        log = self._logs / f"{self._kind}-{self._started}.log"
        # Added to, since the end of an earlier job may be why this one was started; its owner's alone.
        with os.fdopen(os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600), "ab") as output:
            os.fchmod(output.fileno(), 0o600)
            begin = output.seek(0, os.SEEK_END)
            # A session of its own: Ctrl-C reaches this process alone, which then stops the workers once.
            # Two SIGINTs would make Scrapy drop what is in flight.
            process = subprocess.Popen(
                [sys.executable, "-m", "scrapy", "crawl", self._kind],
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        self._processes[process] = log, begin

    @property
    def running(self) -> int:
        return sum(process.poll() is None for process in self._processes)

    def replace_killed(self) -> int:
        """Start a worker for each that died by a signal; returns how many."""
        replaced = 0
        for process in list(self._processes):
            if (process.poll() or 0) < 0 and self._restarts < RESTARTS:
                del self._processes[process]
                self._restarts += 1
                self._start()
                replaced += 1
        return replaced

    def complaints(self) -> list[str]:
        """The last words of workers that did not end well, each once."""
        words: dict[str, None] = {}
        for process, (log, begin) in self._processes.items():
            if process.poll():
                lines = log.read_bytes()[begin:].decode("utf-8", "replace").splitlines()
                said = [line.removeprefix("tmdb: ") for line in lines if line.startswith("tmdb: ")]
                words["\n".join(said) or f"a worker ended with code {process.returncode}: see {log}"] = None
        return list(words)

    def stop(self) -> None:
        """End all cleanly: leases handed back, parts closed; by force after `STOP_TIMEOUT_S`."""
        for process in self._processes:
            if process.poll() is None:
                process.send_signal(signal.SIGTERM)
        deadline = time.monotonic() + STOP_TIMEOUT_S
        for process in self._processes:
            try:
                process.wait(max(deadline - time.monotonic(), 0.1))
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def run_scrapy(*arguments: str, environment: Mapping[str, str] = os.environ) -> int:
    """Run another command of this project as a user would; returns its exit code.

    Raises `KeyboardInterrupt` after the command has ended by it: it is never left behind, nor killed.
    """
    process = subprocess.Popen([sys.executable, "-m", "scrapy", *arguments], env=dict(environment))
    try:
        return process.wait()
    except KeyboardInterrupt:
        # Ctrl-C on a terminal has reached the command too; a signal sent to this process alone has not.
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(GRACE_S)
        if process.poll() is None:
            process.send_signal(signal.SIGINT)
            process.wait()
        raise
