"""Releases and environments that nothing runs from any more, of which every upgrade leaves some."""

from __future__ import annotations

import shutil
import time
from pathlib import Path

from deploy.on_host import processes, workspace
from deploy.on_host.install import project

SPARED_S = 3600.0
"""Another init may have made it a moment ago, and not yet have switched to it."""


def remove(working_dir: str) -> int:
    """Remove them, and what interrupted installations left; how many directories those were.

    Nothing is removed while a record of an older deploy, which does not say what is used, is there.
    """
    path = workspace.require(working_dir)
    used = set(project.current(path).directories)
    for record in processes.recorded_anywhere(path):
        if not record.get("uses"):
            return 0
        used.update(record["uses"])
    old = [
        directory
        for parent in ("releases", "environments")
        for directory in (path / parent).iterdir()
        if directory.is_dir() and f"{parent}/{directory.name}" not in used and _is_old(directory)
    ]
    for directory in old:
        shutil.rmtree(str(directory), ignore_errors=True)  # NFS keeps what is open: the next init gets it
    return len(old)


def _is_old(directory: Path) -> bool:
    return directory.stat().st_mtime < time.time() - SPARED_S
