"""Processes that outlive the SSH session, each with a record file, so that only what we started is stopped.

A record is `run/<hostname>/<name>.json`: homes may be shared, so each host has its own directory.
"""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import time
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import TypedDict

from deploy.on_host import privacy, workspace

POLL_S = 0.05
REDIS = "redis"
"""The one recorded process that is no worker."""

BOOT_ID = Path("/proc/sys/kernel/random/boot_id")


class Record(TypedDict):
    """What identifies a process beyond doubt: a pid alone may be somebody else's by now."""

    name: str
    pid: int
    started_ticks: int
    """Field 22 of /proc/<pid>/stat: clock ticks from the boot to the start of the process."""
    boot: str
    stopping: bool
    """SIGTERM was sent; Scrapy takes a second one as "at once"."""
    console_password: str
    """Of a worker's telnet console; empty without one. Only its owner can read the record, as with the
    process's environment."""
    uses: list[str]
    """The release and the environment that it runs from, below the working directory."""


def directory(path: Path) -> Path:
    """Where this host's records are."""
    return path / "run" / workspace.hostname()


@contextlib.contextmanager
def locked(path: Path) -> Iterator[None]:
    """One launch, stop or kill at a time on this host; it leaves no records of the dead."""
    with workspace.locked(directory(path) / "lock"):
        try:
            yield
        finally:
            for file, record in _records(path):
                if not is_alive(record):
                    file.unlink()


def forget_the_dead(path: Path) -> None:
    """Remove this host's records of processes that ended by themselves. Needs no room on the disk."""
    if (directory(path) / "lock").exists():
        with locked(path):
            pass


def start(
    path: Path,
    name: str,
    command: list[str],
    cwd: Path,
    log: Path,
    environment: dict[str, str] | None = None,
    console_password: str = "",
    uses: Sequence[str] = (),
) -> subprocess.Popen[bytes]:
    """Start `command` in a session of its own, its output appended to `log`, and record it as `name`.

    What cannot be recorded (a full disk) is killed at once: nobody could stop it later.
    """
    privacy.directory(log.parent)
    with privacy.appending(log) as output:
        process = subprocess.Popen(
            command,
            cwd=str(cwd),
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,  # without it, the end of the SSH session takes the process along
        )
    try:
        _record(path, name, process, console_password, uses)
    except BaseException:
        process.kill()
        process.wait()
        raise
    return process


def _record(
    path: Path, name: str, process: subprocess.Popen[bytes], console_password: str, uses: Sequence[str]
) -> None:
    seen = _status(process.pid)
    record: Record = {
        "name": name,
        "pid": process.pid,
        "started_ticks": seen[1] if seen else 0,
        "boot": BOOT_ID.read_text().strip(),
        "stopping": False,
        "console_password": console_password,
        "uses": list(uses),
    }
    workspace.write_privately(directory(path) / f"{name}.json", json.dumps(record))


def recorded(path: Path, prefix: str = "") -> list[Record]:
    """This host's recorded processes that are alive."""
    return [record for _, record in _records(path, prefix) if is_alive(record)]


def workers(path: Path) -> list[Record]:
    """This host's recorded workers that are alive."""
    return [record for record in recorded(path) if record["name"] != REDIS]


def recorded_anywhere(path: Path) -> list[Record]:
    """Those of all hosts that share the directory; of other hosts' processes nobody here knows which live."""
    return [record for _, record in _read(path.glob("run/*/*.json"))]


def is_alive(record: Record) -> bool:
    """Whether the process that was recorded, and no other of the same pid, still runs."""
    seen = _status(record["pid"])
    return (
        seen is not None
        and seen[0] not in "ZX"
        and seen[1] == record["started_ticks"]
        and record["boot"] == BOOT_ID.read_text().strip()
    )


def terminate(path: Path, records: list[Record]) -> None:
    """Send SIGTERM, once in the life of each."""
    for record in records:
        if not record["stopping"]:
            record["stopping"] = True
            workspace.write_privately(directory(path) / f"{record['name']}.json", json.dumps(record))
            _send(record, signal.SIGTERM)


def kill(records: list[Record]) -> None:
    """Send SIGKILL."""
    for record in records:
        _send(record, signal.SIGKILL)


def wait_for_end(records: list[Record], deadline_s: float) -> list[Record]:
    """Those that still run after `deadline_s`."""
    until = time.monotonic() + deadline_s
    living = [record for record in records if is_alive(record)]
    while living and time.monotonic() < until:
        time.sleep(POLL_S)
        living = [record for record in living if is_alive(record)]
    return living


def _records(path: Path, prefix: str = "") -> Iterator[tuple[Path, Record]]:
    return _read(directory(path).glob(f"{prefix}*.json"))


def _read(files: Iterable[Path]) -> Iterator[tuple[Path, Record]]:
    for file in sorted(files):
        with contextlib.suppress(FileNotFoundError):  # its process is dead, and the lock's holder knows
            yield file, json.loads(file.read_text())


def _send(record: Record, number: signal.Signals) -> None:
    if is_alive(record):
        with contextlib.suppress(ProcessLookupError):
            os.kill(record["pid"], number)


def _status(pid: int) -> tuple[str, int] | None:
    """State letter and start time of a process; None when there is none."""
    try:
        text = Path(f"/proc/{pid}/stat").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return None
    fields = text.rpartition(")")[2].split()  # the name before it may hold spaces and parentheses
    return fields[0], int(fields[19])
