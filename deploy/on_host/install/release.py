"""The project's files on a host: one directory a version, complete or absent, and the workers' `.env`."""

from __future__ import annotations

import secrets
import shutil

from deploy.on_host import privacy, workspace

AUTHORITY_FILE = "redis-ca.pem"
"""Beside `.env`, and two directories above a release."""


def is_installed(working_dir: str, version: str) -> bool:
    """Whether `version` is there."""
    return (workspace.require(working_dir) / "releases" / version).is_dir()


def install(working_dir: str, version: str) -> None:
    """Unpack the tar on standard input as `version`."""
    release = workspace.require(working_dir) / "releases" / version
    unfinished = privacy.directory(release.parent) / f".{version}.{secrets.token_hex(4)}"
    unfinished.mkdir()
    try:
        workspace.unpack_standard_input(unfinished)
        (unfinished / ".env").symlink_to("../../.env")
        with workspace.locked(release.with_name(".lock")):
            if not release.is_dir():  # another init may have been faster
                unfinished.rename(release)
    finally:
        shutil.rmtree(str(unfinished), ignore_errors=True)


def write_environment_file(working_dir: str, text: str, authority: str) -> bool:
    """Write the workers' `.env`, 0600, `DATA_DIR` added, and the certificate authority of their Redis, if it
    has one of its own; False if the `.env` was the same already."""
    path = workspace.require(working_dir)
    for directory in ("logs", "run"):
        privacy.directory(path / directory)
    (path / "data").mkdir(mode=0o700, exist_ok=True)
    if authority:
        workspace.write_privately(path / AUTHORITY_FILE, authority)
    quoted = str(path / "data").replace("\\", "\\\\").replace("'", "\\'")
    return workspace.write_privately(path / ".env", f"{text}DATA_DIR='{quoted}'\n")
