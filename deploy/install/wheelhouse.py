"""Wheels for the hosts, fetched once to this machine: hosts need no way to a package index.

Kept under `~/.cache/tmdb-scrapy/wheels`, one directory for a set of requirements and a platform.
"""

from __future__ import annotations

import hashlib
import os
import platform
import shutil
import subprocess
import sys
import tarfile
import tempfile
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from deploy.install import requirements
from deploy.on_host import machine
from deploy.on_host.machine import Machine

BLOCK_BYTES = 1 << 18
OLDEST_MANYLINUX_GLIBC_MINOR = 17
LAST_LINES = 4


@dataclass(frozen=True)
class Platform:
    """What decides which packages a host needs, and which wheels fit."""

    python: str
    """Such as 3.11.2: some requirements depend on the third number."""
    architecture: str
    glibc: str

    @classmethod
    def of(cls, host: Machine) -> Platform:
        """The platform of a host."""
        return cls(host["python"], host["architecture"], host["glibc"])

    @classmethod
    def here(cls) -> Platform:
        """That of the interpreter which runs this, and its pip; another python3 may be first on the PATH."""
        return cls(platform.python_version(), platform.machine(), machine.glibc())

    @property
    def python_minor(self) -> str:
        """Such as 3.11."""
        return ".".join(self.python.split(".")[:2])

    @property
    def markers(self) -> dict[str, str]:
        """The environment markers of PEP 508."""
        return {
            "implementation_name": "cpython",
            "implementation_version": self.python,
            "os_name": "posix",
            "platform_machine": self.architecture,
            "platform_python_implementation": "CPython",
            "platform_release": "",
            "platform_system": "Linux",
            "platform_version": "",
            "python_full_version": self.python,
            "python_version": self.python_minor,
            "sys_platform": "linux",
        }

    @property
    def wheel_tags(self) -> list[str]:
        """Platform tags whose wheels run there, best first (PEP 600); none for another C library."""
        if not self.glibc.startswith("2."):
            return []
        newest = int(self.glibc.split(".")[1])
        minors = range(newest, OLDEST_MANYLINUX_GLIBC_MINOR - 1, -1)
        names = [
            *(f"manylinux_2_{minor}" for minor in minors),
            "manylinux2014",
            "manylinux2010",
            "manylinux1",
        ]
        return [f"{name}_{self.architecture}" for name in names]

    def takes_wheels_of(self, other: Platform) -> bool:
        """Whether what is built there runs here."""
        mine, theirs = (
            (platform.python_minor, platform.architecture, platform.glibc) for platform in (self, other)
        )
        return mine == theirs


@dataclass(frozen=True)
class Wheels:
    """A complete set for one platform."""

    directory: Path

    @cached_property
    def size(self) -> int:
        """Of all wheels, in bytes."""
        return sum(file.stat().st_size for file in self.directory.iterdir())

    def blocks(self) -> Iterator[bytes]:
        """All wheels and their `requirements.txt` as a tar, piece by piece: many hosts read at once."""
        for file in sorted(self.directory.iterdir()):
            entry = tarfile.TarInfo(file.name)
            entry.size = file.stat().st_size
            entry.mode = 0o644
            yield entry.tobuf()
            with file.open("rb") as content:
                yield from iter(lambda: content.read(BLOCK_BYTES), b"")
            yield bytes(-entry.size % tarfile.BLOCKSIZE)
        yield bytes(2 * tarfile.BLOCKSIZE)


class NoWheels(Exception):
    """The package index that this machine uses has no complete set for a platform."""


class Wheelhouse:
    """Fetches each platform's wheels once, whoever asks and however many at a time."""

    def __init__(self, cache: Path | None = None) -> None:
        self.cache = cache or _cache_directory()
        self._locks: dict[Platform, threading.Lock] = {}
        self._failures: dict[Platform, NoWheels] = {}
        self._naming = threading.Lock()

    def requirements(self, platform: Platform) -> str:
        """What pip is to install on a host of `platform`, a line each."""
        return "".join(f"{requirement}\n" for requirement in requirements.needed(platform.markers))

    def fingerprint(self, platform: Platform) -> str:
        """Changes when a host of `platform` needs another environment."""
        decides = (self.requirements(platform), platform.python_minor, platform.architecture, platform.glibc)
        return hashlib.sha256("\n".join(decides).encode()).hexdigest()[:16]

    def wheels(self, platform: Platform) -> Wheels:
        """The wheels for `platform`, fetched if they are not here. Raises `NoWheels`."""
        with self._naming:
            lock = self._locks.setdefault(platform, threading.Lock())
        with lock:
            if platform in self._failures:
                raise self._failures[platform]
            directory = self.cache / self.fingerprint(platform)
            if not directory.is_dir():
                try:
                    self._fetch(platform, directory)
                except NoWheels as failure:
                    self._failures[platform] = failure
                    raise
            return Wheels(directory)

    def _fetch(self, platform: Platform, directory: Path) -> None:
        for place in (self.cache.parent, self.cache):  # whose wheels run on all hosts
            place.mkdir(mode=0o700, parents=True, exist_ok=True)
        unfinished = Path(tempfile.mkdtemp(dir=self.cache, prefix=".unfinished-"))
        try:
            (unfinished / "needed.txt").write_text(self.requirements(platform))
            options = ["--quiet", "--disable-pip-version-check", "-r", "needed.txt"]
            fetched = subprocess.run(
                [sys.executable, "-m", "pip", *_pip_command(platform), *options],
                cwd=unfinished,
                stdin=subprocess.DEVNULL,
                capture_output=True,
                text=True,
            )
            if fetched.returncode != 0:
                said = (fetched.stderr or fetched.stdout).strip().splitlines()[-LAST_LINES:]
                raise NoWheels(f"pip has no wheels for {platform}: {' / '.join(said)}")
            (unfinished / "needed.txt").unlink()
            names = sorted(wheel.name.split("-")[:2] for wheel in unfinished.glob("*.whl"))
            pinned = "".join(f"{name}=={version}\n" for name, version in names if name != "pip")
            (unfinished / "requirements.txt").write_text(pinned)
            unfinished.rename(directory)
        finally:
            shutil.rmtree(unfinished, ignore_errors=True)


def _pip_command(platform: Platform) -> list[str]:
    """For this machine's own platform pip may build what has no wheel; for others it can only download."""
    if platform.takes_wheels_of(Platform.here()):
        return ["wheel", "--wheel-dir", "."]
    if not platform.wheel_tags:
        raise NoWheels(f"{platform} has no manylinux wheels")
    tags = [option for tag in platform.wheel_tags for option in ("--platform", tag)]
    only_wheels = [
        "--only-binary",
        ":all:",
        "--python-version",
        platform.python_minor,
        "--implementation",
        "cp",
    ]
    return ["download", "--dest", ".", *only_wheels, *tags]


def _cache_directory() -> Path:
    base = os.environ.get("XDG_CACHE_HOME") or "~/.cache"
    return Path(base).expanduser() / "tmdb-scrapy" / "wheels"
