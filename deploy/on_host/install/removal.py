"""Take away what the fleet put on a host, and nothing else."""

from __future__ import annotations

import contextlib
import shutil
from pathlib import Path
from typing import TypedDict

from deploy.on_host import processes, workspace

STOP_FIRST = "run make stop (or make kill) first"


class Contents(TypedDict):
    """What a removal would take away, and what stands in its way on this host."""

    directory: str
    exists: bool
    parts: int
    parts_bytes: int
    workers: int
    """That run on this host."""
    redis: bool
    """The fleet's queue is there, whether its Redis runs or not."""


def look(working_dir: str) -> Contents:
    """The working directory, and the parts that would be lost with it.

    Raises `Problem` when the directory is not one that `make init` made.
    """
    path = workspace.locate(working_dir)
    if not path.exists():
        return {
            "directory": str(path),
            "exists": False,
            "parts": 0,
            "parts_bytes": 0,
            "workers": 0,
            "redis": False,
        }
    workspace.require(working_dir)
    sizes = [part.stat().st_size for part in path.glob("data/*/parts/*.jsonl")]
    processes.forget_the_dead(path)
    return {
        "directory": str(path),
        "exists": True,
        "parts": len(sizes),
        "parts_bytes": sum(sizes),
        "workers": len(processes.workers(path)),
        "redis": (path / "redis").is_dir(),
    }


def remove(working_dir: str) -> bool:
    """Remove all that is ours in the working directory, then the directory if nothing else is in it.

    False when something of somebody else's stays. Raises `Problem` while processes of ours run here, or may
    run on a host that shares the directory.
    """
    path = workspace.locate(working_dir)
    if not path.exists():
        return True
    workspace.require(working_dir)
    running = processes.recorded(path)
    if running:
        names = ", ".join(record["name"] for record in running)
        raise workspace.Problem(f"still running here: {names}", STOP_FIRST)
    _refuse_under_others(path)
    for sheet in path.glob(".survey-*"):
        _remove(sheet)
    for name in workspace.CONTENTS:
        _remove(path / name)
    with contextlib.suppress(OSError):
        path.rmdir()
    return not path.exists()


def _refuse_under_others(path: Path) -> None:
    """Hosts that share the directory took the records of their dead away when they were looked at: what is
    recorded still, runs there, or its host was not looked at and cannot be asked from here."""
    others = sorted({record.parent for record in path.glob("run/*/*.json")} - {processes.directory(path)})
    if others:
        raise workspace.Problem(
            f"this directory is used by {', '.join(other.name for other in others)} too, where workers or "
            "Redis may still run",
            f"{STOP_FIRST}, with those hosts reachable; if one is gone for good, remove its records here: "
            f"{others[0]}",
        )


def _remove(path: Path) -> None:
    """A link goes, what it points to stays: only what lies in the working directory is ours."""
    if path.is_symlink() or path.is_file():
        path.unlink()
    elif path.exists():
        shutil.rmtree(str(path))
