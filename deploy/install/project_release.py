"""The project's files as hosts get them: a tar, and a version: the program's and a hash of its content."""

from __future__ import annotations

import gzip
import hashlib
import io
import tarfile
from dataclasses import dataclass
from pathlib import Path

import tmdb_scrapy

SCRAPY_CFG = b"[settings]\ndefault = tmdb_scrapy.settings\nfleet = fleet_settings\n"
FLEET_SETTINGS = Path(__file__).with_name("fleet_settings.py")
LEFT_OUT = {"__pycache__"}


@dataclass(frozen=True)
class Release:
    """What is installed under `releases/<version>`."""

    version: str
    archive: bytes
    """A gzipped tar."""


def pack(package: Path | None = None) -> Release:
    """The package as it is on this machine, installed or a working copy, changes not committed included:
    hosts run what you run."""
    package = package or Path(tmdb_scrapy.__file__).parent
    files = {
        f"{package.name}/{file.relative_to(package).as_posix()}": file.read_bytes()
        for file in sorted(package.rglob("*"))
        if file.is_file() and not LEFT_OUT & set(file.parts) and not file.name.startswith(".")
    }
    files["scrapy.cfg"] = SCRAPY_CFG
    files[FLEET_SETTINGS.name] = FLEET_SETTINGS.read_bytes()
    digest = hashlib.sha256()
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w") as archive:
        for name, content in sorted(files.items()):
            digest.update(f"{name}\0{len(content)}\0".encode() + content)
            entry = tarfile.TarInfo(name)
            entry.size = len(content)
            entry.mode = 0o644
            archive.addfile(entry, io.BytesIO(content))
    version = f"{tmdb_scrapy.__version__}-{digest.hexdigest()[:16]}"
    return Release(version, gzip.compress(packed.getvalue(), mtime=0))
