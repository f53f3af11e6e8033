"""The workers of this machine as one: start them, show their progress, stop them, bury them."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path

from rich.progress import BarColumn, MofNCompleteColumn, TaskID, TextColumn
from rich.progress import Progress as ProgressBar

from tmdb_scrapy.commands.base import CommandFailed
from tmdb_scrapy.queue import Snapshot, State
from tmdb_scrapy.watch.bars import console
from tmdb_scrapy.watch.status import summary

LOOK_INTERVAL_S = 1.0
LINE_INTERVAL_S = 30.0
RESTARTS = 5
"""How many workers that died by a signal are replaced; more deaths than that have a cause to look at."""
STOP_TIMEOUT_S = 60.0
GRACE_S = 1.0


class Workers:
    """Some `scrapy crawl KIND` processes, each with its log under `logs`."""

    def __init__(self, kind: str, count: int, logs: Path) -> None:
        self._kind = kind
        self._logs = logs
        self._processes: dict[subprocess.Popen[bytes], Path] = {}
        """Each worker and its log."""
        self._restarts = 0
        self._started = 0
        logs.mkdir(parents=True, exist_ok=True)
        for _ in range(count):
            self._start()

    def _start(self) -> None:
        self._started += 1
        log = self._logs / f"{self._kind}-{self._started}.log"
        with log.open("wb") as output:
            # A session of its own: Ctrl-C reaches this process alone, which then stops the workers once.
            # Two SIGINTs would make Scrapy drop what is in flight.
            process = subprocess.Popen(
                [sys.executable, "-m", "scrapy", "crawl", self._kind],
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        self._processes[process] = log

    @property
    def running(self) -> int:
        return sum(process.poll() is None for process in self._processes)

    def replace_killed(self) -> int:
        """Start a worker for each that died by a signal; answers how many."""
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
        for process, log in self._processes.items():
            if process.poll():
                lines = log.read_text(encoding="utf-8", errors="replace").splitlines()
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


def watch(workers: Workers, look: Callable[[], Snapshot]) -> Snapshot:
    """Show progress until all workers have ended; answers the last. Raises what `look` raises."""
    show = _Display()
    with show.bar:
        while True:
            running = workers.running
            try:
                progress = look()
            except CommandFailed:
                # The workers wait for a Redis that is away, and so does this.
                if not running:
                    raise
            else:
                show.update(progress)
                if not running and not workers.replace_killed():
                    return progress
            workers.replace_killed()
            time.sleep(LOOK_INTERVAL_S)


class _Display:
    """A bar on a terminal; a line every half minute elsewhere."""

    def __init__(self) -> None:
        self._live = sys.stderr.isatty()
        self._last_line_at = 0.0
        self.bar = ProgressBar(
            TextColumn("crawling"),
            BarColumn(),
            MofNCompleteColumn(),
            TextColumn("{task.fields[detail]}"),
            console=console,
            disable=not self._live,
        )
        self.bar.add_task("crawl", total=None, detail="")

    def update(self, progress: Snapshot) -> None:
        detail = (
            f"{summary(progress)} · kept {progress.of(State.KEPT):,} · failed {progress.of(State.FAILED):,}"
        )
        self.bar.update(TaskID(0), completed=progress.done, total=progress.total, detail=detail)
        if not self._live and time.monotonic() - self._last_line_at >= LINE_INTERVAL_S:
            self._last_line_at = time.monotonic()
            print(detail, file=sys.stderr, flush=True)


def run_scrapy(*arguments: str, environment: Mapping[str, str] = os.environ) -> int:
    """Run another command of this project as a user would; answers its exit code.

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
