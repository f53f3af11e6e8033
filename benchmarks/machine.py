"""The machine: which core is whose, and what it is."""

from __future__ import annotations

import contextlib
import os
import platform
import ssl
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

PACKAGES = (
    "scrapy", "twisted", "scrapy-redis", "aiohttp", "uvloop", "isal", "msgspec", "redis", "hiredis",
    "requests",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Cores:
    """Who runs where. With two cores the second one is shared by everything that is not the crawler."""

    crawler: int
    server: int
    second_crawler: int
    redis: int
    count: int

    @classmethod
    def available(cls) -> Cores:
        """By what this process may use. Two cores are needed for a measurement to mean anything."""
        mine = sorted(os.sched_getaffinity(0))
        others = mine[1:] or mine
        return cls(mine[0], others[0], others[1 % len(others)], others[2 % len(others)], len(mine))


@contextlib.contextmanager
def on_core(core: int) -> Iterator[None]:
    """Processes started in here run on `core` alone: the affinity is inherited, as with taskset."""
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {core})
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)


def describe() -> dict[str, str]:
    """What a reader needs to compare figures: processor, memory, system, versions."""
    return {
        "processor": _processor(),
        "cores": str(len(os.sched_getaffinity(0))),
        "memory": f"{os.sysconf('SC_PAGE_SIZE') * os.sysconf('SC_PHYS_PAGES') / 2**30:.0f} GiB",
        "system": f"{platform.system()} {platform.release()}",
        "python": platform.python_version(),
        "openssl": _openssl(),
        "nginx": _first_line("nginx", "-v"),
        **{package: version(package) for package in PACKAGES},
    }


def load_average() -> float:
    """Processes that want to run, over the last minute: what else disturbs a measurement."""
    return os.getloadavg()[0]


def _processor() -> str:
    with contextlib.suppress(OSError):
        for line in Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.machine()


def _openssl() -> str:
    return ssl.OPENSSL_VERSION


def _first_line(*command: str) -> str:
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=False)
    except FileNotFoundError:
        return "not installed"
    return (done.stdout + done.stderr).strip().splitlines()[0]
