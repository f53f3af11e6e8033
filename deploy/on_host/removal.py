"""Take away what the fleet put on a host, and nothing else."""

from __future__ import annotations

import contextlib
import shutil
from pathlib import Path
from typing import TypedDict

from deploy.on_host import processes, workspace


class Contents(TypedDict):
    """What a removal would take away."""

    directory: str
    exists: bool
    parts: int
    parts_bytes: int


def look(working_dir: str) -> Contents:
    """The working directory, and the parts that would be lost with it.

    Raises `Problem` when the directory is not one that `make init` made.
    """
    path = workspace.locate(working_dir)
    if not path.exists():
        return {"directory": str(path), "exists": False, "parts": 0, "parts_bytes": 0}
    workspace.require(working_dir)
    sizes = [part.stat().st_size for part in path.glob("data/*/parts/*.jsonl")]
    return {"directory": str(path), "exists": True, "parts": len(sizes), "parts_bytes": sum(sizes)}


def remove(working_dir: str) -> bool:
    """Remove all that is ours in the working directory, then the directory if nothing else is in it.

    False when something of somebody else's stays. Raises `Problem` while processes of ours run here.
    """
    path = workspace.locate(working_dir)
    if not path.exists():
        return True
    workspace.require(working_dir)
    running = processes.recorded(path)
    if running:
        names = ", ".join(record["name"] for record in running)
        raise workspace.Problem(f"still running here: {names}", "run make stop (or make kill) first")
    for sheet in path.glob(".survey-*"):
        _remove(sheet)
    for name in workspace.PARTS_OF_A_WORKSPACE:
        _remove(path / name)
    with contextlib.suppress(OSError):
        path.rmdir()
    return not path.exists()


def _remove(path: Path) -> None:
    """A link goes, what it points to stays: only what lies in the working directory is ours."""
    if path.is_symlink() or path.is_file():
        path.unlink()
    elif path.exists():
        shutil.rmtree(str(path))
