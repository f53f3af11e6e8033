"""What a machine is and how busy it is: for `make ping`, `make load` and the choice of wheels."""

from __future__ import annotations

import os
import platform
import shutil
import subprocess
import sys
from pathlib import Path
from typing import TypedDict

from deploy.on_host import workspace

OLDEST_PYTHON = (3, 11)
NEWEST_PYTHON_TRIED = 20


class Machine(TypedDict):
    """One host, as `describe` finds it."""

    hostname: str
    python: str
    """Version of the interpreter workers would run under, such as 3.11.2; empty when there is none."""
    interpreter: str
    """Its absolute path."""
    architecture: str
    """As the kernel says, such as x86_64."""
    glibc: str
    """Version such as 2.36; empty for another C library."""
    address: str
    """This end of the SSH connection: the address by which the fleet's network knows this host."""


class Load(TypedDict):
    """How busy a host is."""

    load_average: list[float]
    """Runnable processes over the last 1, 5 and 15 minutes."""
    cores: int
    memory_free_bytes: int
    memory_bytes: int
    disk_free_bytes: int
    """On the file system of the working directory."""


def describe() -> Machine:
    """This machine."""
    interpreter, version = find_interpreter()
    return {
        "hostname": workspace.hostname(),
        "python": version,
        "interpreter": interpreter,
        "architecture": platform.machine(),
        "glibc": glibc(),
        "address": (os.environ.get("SSH_CONNECTION", "").split() or ["", "", "", ""])[2],
    }


def find_interpreter() -> tuple[str, str]:
    """Path and version of the first Python that can run workers; of `python3` when none can.

    Distributions with a long life keep `python3` old and offer newer ones beside it.
    """
    names = [
        "python3",
        *(f"python3.{minor}" for minor in range(NEWEST_PYTHON_TRIED, OLDEST_PYTHON[1] - 1, -1)),
    ]
    for name in names:
        path = shutil.which(name)
        if path and version_of(path) >= OLDEST_PYTHON:
            return path, ".".join(str(number) for number in version_of(path))
    return sys.executable, platform.python_version()


def version_of(interpreter: str) -> tuple[int, ...]:
    """(3, 11, 2) for example; (0,) when it does not even start."""
    if interpreter == sys.executable:
        return tuple(sys.version_info[:3])
    asked = subprocess.run(
        [interpreter, "-I", "-c", "import sys; print(*sys.version_info[:3])"],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
    )
    return tuple(int(number) for number in asked.stdout.split()) or (0,)


def glibc() -> str:
    """Version such as 2.36; empty for another C library."""
    name, version = platform.libc_ver()
    return version if name == "glibc" else ""


def load(working_dir: str) -> Load:
    """How busy this machine is."""
    memory = {}
    for line in Path("/proc/meminfo").read_text().splitlines():
        name, _, size = line.partition(":")
        memory[name] = int(size.split()[0]) * 1024
    nearest = workspace.locate(working_dir)
    while not nearest.exists():
        nearest = nearest.parent
    return {
        "load_average": list(os.getloadavg()),
        "cores": len(os.sched_getaffinity(0)),
        "memory_free_bytes": memory["MemAvailable"],
        "memory_bytes": memory["MemTotal"],
        "disk_free_bytes": shutil.disk_usage(str(nearest)).free,
    }
