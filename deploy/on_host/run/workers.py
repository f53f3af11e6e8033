"""Workers on a host: start what is not running, stop, kill, list."""

from __future__ import annotations

import os
import secrets
import subprocess
import time
from pathlib import Path
from typing import TypedDict

from deploy.on_host import privacy, processes, workspace
from deploy.on_host.install import project

STARTED_SIGN = b"Spider opened"
"""What Scrapy logs when a worker has its configuration, its extensions and its first request."""

START_DEADLINE_S = 20.0
LAST_BYTES = 2000
AUTO = "auto"


class Launched(TypedDict):
    """What `launch` found and did."""

    started: int
    running: int
    """Workers that ran already."""
    finished: int
    """Workers that ended at once with status 0: nothing was queued."""


class Stopped(TypedDict):
    """What `stop` or `kill` did."""

    ended: int
    remaining: list[int]
    """Pids of those that still run."""


def launch(working_dir: str, kind: str, processes_wanted: str, not_passed_on: list[str]) -> Launched:
    """Have `processes_wanted` workers of `kind` on this host (`auto`: one a core). Variables of this host's
    login environment that are in `not_passed_on` do not reach them: `.env` decides about those.

    Raises `Problem` with the end of the log when a worker fails at its start.
    """
    path = workspace.require(working_dir)
    wanted = len(os.sched_getaffinity(0)) if processes_wanted == AUTO else int(processes_wanted)
    with processes.locked(path):
        running = {record["name"] for record in processes.recorded(path, f"{kind}-")}
        names = [f"{kind}-{number}" for number in range(1, wanted + 1) if f"{kind}-{number}" not in running]
        names = names[: max(0, wanted - len(running))]
        environment = environment_without(not_passed_on)
        started = [_start(path, kind, name, environment) for name in names]
        until = time.monotonic() + START_DEADLINE_S
        finished = sum(_await_start(process, log, offset, until) for process, log, offset in started)
    return {"started": len(started) - finished, "running": len(running), "finished": finished}


def stop(working_dir: str, deadline_s: float) -> Stopped:
    """Ask this host's workers to hand back their leases, close their parts and end."""
    path = workspace.require(working_dir)
    with processes.locked(path):
        living = processes.workers(path)
        processes.terminate(path, living)
        remaining = processes.wait_for_end(living, deadline_s)
    return {"ended": len(living) - len(remaining), "remaining": [record["pid"] for record in remaining]}


def kill(working_dir: str, deadline_s: float) -> Stopped:
    """End this host's workers at once; their leases go to others when their heartbeats expire."""
    path = workspace.require(working_dir)
    with processes.locked(path):
        living = processes.workers(path)
        processes.kill(living)
        remaining = processes.wait_for_end(living, deadline_s)
    return {"ended": len(living) - len(remaining), "remaining": [record["pid"] for record in remaining]}


def forget_the_dead(working_dir: str) -> None:
    """Have this host's records speak of what lives, for others who share its directory and cannot know."""
    processes.forget_the_dead(workspace.locate(working_dir))


def environment_without(names: list[str]) -> dict[str, str]:
    """This host's login environment, less `names`."""
    return {name: value for name, value in os.environ.items() if name not in names}


def _start(
    path: Path, kind: str, name: str, environment: dict[str, str]
) -> tuple[subprocess.Popen[bytes], Path, int]:
    current = project.current(path)
    log = path / "logs" / workspace.hostname() / f"{name}.log"
    offset = log.stat().st_size if log.exists() else 0
    # Not .venv/bin/scrapy: its first line would have to quote whatever REMOTE_WORKING_DIR contains.
    command = [str(current.python), "-m", "scrapy", "crawl", kind]
    password = secrets.token_urlsafe(16)
    environment = {**environment, "SCRAPY_PROJECT": "fleet", "TELNETCONSOLE_PASSWORD": password}
    with privacy.as_user_would():
        process = processes.start(
            path, name, command, current.release, log, environment, password, current.directories
        )
    return process, log, offset


def _await_start(process: subprocess.Popen[bytes], log: Path, offset: int, until: float) -> bool:
    """Wait until a worker crawls (False) or has ended well (True), or the monotonic clock is at `until`."""
    while True:
        ended = process.poll() is not None
        with log.open("rb") as file:
            file.seek(offset)
            said = file.read()
        if ended and process.returncode == 0:
            return True
        if ended:
            last = said[-LAST_BYTES:].decode("utf-8", "replace").strip().splitlines()[-3:]
            raise workspace.Problem(
                f"a worker ended with status {process.returncode}: {' / '.join(last)}",
                f"see {log} (make logs), mend .env or run make init, then make launch again",
            )
        if STARTED_SIGN in said:
            return False
        if time.monotonic() > until:
            return False  # slow, but alive
        time.sleep(processes.POLL_S)
