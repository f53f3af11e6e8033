"""`make logs`: the workers' log lines of all hosts, as they come, each with its host before it."""

from __future__ import annotations

import threading
from collections.abc import Iterable, Iterator
from itertools import cycle

from rich.console import Console
from rich.text import Text

from deploy.fleet import Fleet
from deploy.on_host.run import logs
from deploy.reports import explain
from deploy.ssh.failures import HostFailure, translate
from deploy.ssh.hosts import Host
from deploy.ssh.remote_calls import RemoteCalls

COLOURS = ("cyan", "green", "yellow", "magenta", "blue", "bright_cyan", "bright_green", "bright_magenta")
NEVER_TOO_SILENT_S = 7 * 24 * 3600.0


class LogFollowing:
    """One run of `make logs`."""

    def __init__(self, fleet: Fleet, console: Console | None = None) -> None:
        self.results: dict[Host, int | HostFailure] = dict.fromkeys(fleet.hosts, 0)
        """How many lines each host gave so far, or why it gives none any more."""
        self._fleet = fleet
        self._console = console or Console(highlight=False, soft_wrap=True)
        self._printing = threading.Lock()
        self._over = threading.Event()
        self._colours = dict(zip(fleet.hosts, cycle(COLOURS), strict=False))

    def follow(self, lines: int, go_on: bool) -> None:
        """Print the last `lines` lines of each log; with `go_on`, new ones until the user interrupts. A
        host's failure is told at once, because the others may go on for days."""

        def show(host: Host, calls: RemoteCalls) -> None:
            try:
                with calls.stream(
                    NEVER_TOO_SILENT_S,
                    logs.follow,
                    working_dir=self._fleet.working_dir,
                    lines=lines,
                    follow=go_on,
                ) as blocks:
                    for number, line in enumerate(_lines(blocks), start=1):
                        self.results[host] = number
                        self._show(host, line)
            except Exception as error:
                if self._over.is_set():  # the user has enough, so the connections are closed
                    return
                failure = translate(error, host)
                self.results[host] = failure
                with self._printing:
                    explain(host, failure, self._console)

        try:
            self._fleet.each(show)
        finally:
            self._over.set()

    def _show(self, host: Host, line: bytes) -> None:
        with self._printing:
            if self._over.is_set():
                return
            self._console.print(Text(f"{host} ", self._colours[host]) + Text(line.decode("utf-8", "replace")))


def _lines(blocks: Iterable[bytes]) -> Iterator[bytes]:
    unfinished = b""
    for block in blocks:
        *whole, unfinished = (unfinished + block).split(b"\n")
        yield from whole
