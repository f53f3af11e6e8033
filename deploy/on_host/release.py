"""The project's files on a host: one directory a version, and `project`, a link to the current one.

A version is complete or absent, and a running worker keeps the version it started with.
"""

from __future__ import annotations

import contextlib
import os
import shutil

from deploy.on_host import workspace


def is_current(working_dir: str, version: str) -> bool:
    """Whether `project` is `version` already."""
    path = workspace.require(working_dir)
    link = path / "project"
    return link.is_symlink() and link.resolve() == (path / "releases" / version).resolve() and link.is_dir()


def install(working_dir: str, version: str) -> bool:
    """Unpack the tar on standard input as `version` and make it the current one."""
    path = workspace.require(working_dir)
    release = path / "releases" / version
    if not release.is_dir():
        unfinished = release.with_name(f".{version}.{workspace.hostname()}.{os.getpid()}")
        unfinished.mkdir(parents=True)
        try:
            workspace.unpack_standard_input(unfinished)
            (unfinished / ".env").symlink_to("../../.env")
            unfinished.rename(release)
        except BaseException:
            shutil.rmtree(str(unfinished), ignore_errors=True)
            raise
    workspace.point(path / "project", f"releases/{version}")
    return True


def write_environment_file(working_dir: str, text: str) -> bool:
    """Write the workers' `.env`, 0600, `DATA_DIR` added; False if it was the same already."""
    path = workspace.require(working_dir)
    for directory in ("data", "logs", "run"):
        with contextlib.suppress(FileExistsError):
            (path / directory).mkdir(mode=0o700)
    quoted = str(path / "data").replace("\\", "\\\\").replace("'", "\\'")
    return workspace.write_privately(path / ".env", f"{text}DATA_DIR='{quoted}'\n")
