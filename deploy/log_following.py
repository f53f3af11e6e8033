"""`make logs`: the workers' log lines of all hosts, as they come, each with its host before it."""

from __future__ import annotations

import threading
from itertools import cycle

from rich.console import Console
from rich.text import Text

from deploy.failures import HostFailure
from deploy.fleet import Fleet
from deploy.hosts import Host
from deploy.on_host import logs
from deploy.remote_calls import RemoteCalls

COLOURS = ("cyan", "green", "yellow", "magenta", "blue", "bright_cyan", "bright_green", "bright_magenta")
NEVER_TOO_SILENT_S = 7 * 24 * 3600.0


def follow(fleet: Fleet, lines: int, go_on: bool) -> dict[Host, int | HostFailure]:
    """Print the last `lines` lines of each log; with `go_on`, new ones until the user interrupts. The result
    is how many lines each host gave."""
    console = Console(highlight=False, soft_wrap=True)
    printing = threading.Lock()
    colours = dict(zip(fleet.hosts, cycle(COLOURS), strict=False))

    def show(host: Host, calls: RemoteCalls) -> int:
        shown, unfinished = 0, b""
        with calls.stream(
            NEVER_TOO_SILENT_S, logs.follow, working_dir=fleet.working_dir, lines=lines, follow=go_on
        ) as blocks:
            for block in blocks:
                *whole, unfinished = (unfinished + block).split(b"\n")
                for line in whole:
                    with printing:
                        console.print(Text(f"{host} ", colours[host]) + Text(line.decode("utf-8", "replace")))
                    shown += 1
        return shown

    return fleet.each(show)
