"""The installed project: a release and an environment, and `project`, a link to what is current.

A running worker keeps the version it started with: it is started by the directories, never through the links.
"""

from __future__ import annotations

import os
import subprocess
from pathlib import Path
from typing import NamedTuple

from deploy.on_host import workspace

LAST_LINES = 4
SAY_VERSION = "import scrapy, tmdb_scrapy; print(scrapy.__version__)"


class Project(NamedTuple):
    """What a process of ours runs from."""

    release: Path
    """Its working directory."""
    environment: Path

    @property
    def python(self) -> Path:
        return self.environment / "bin" / "python"

    @property
    def directories(self) -> list[str]:
        """As a process's record names them: below the working directory."""
        return [f"releases/{self.release.name}", f"environments/{self.environment.name}"]


def current(path: Path) -> Project:
    """What `switch` chose last. Raises `Problem` when that is not there, or cannot run here."""
    link = path / "project"
    project = Project(*(Path(os.path.realpath(str(place))) for place in (link, link / ".venv")))
    if not (project.release.is_dir() and project.environment.is_dir()):
        raise workspace.Problem("the project is not installed here", "run make init first")
    _require_interpreter(project)
    return project


def check(working_dir: str, version: str, fingerprint: str) -> None:
    """Start that release in that environment. Raises `Problem` when this host cannot."""
    project = _named(working_dir, version, fingerprint)
    _require_interpreter(project)
    asked = subprocess.run(
        [str(project.python), "-E", "-c", SAY_VERSION],
        cwd=str(project.release),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    if asked.returncode != 0:
        said = " / ".join(asked.stdout.strip().splitlines()[-LAST_LINES:])
        raise workspace.Problem(
            f"the environment does not run here: {said}",
            "hosts that share a home need the same Python version and architecture",
        )


def switch(working_dir: str, version: str, fingerprint: str) -> bool:
    """Make that release in that environment the current one; False if it was. Each step is one rename."""
    project = _named(working_dir, version, fingerprint)
    changed = _point(project.release / ".venv", f"../../environments/{fingerprint}")
    return _point(workspace.require(working_dir) / "project", f"releases/{version}") or changed


def _named(working_dir: str, version: str, fingerprint: str) -> Project:
    path = workspace.require(working_dir)
    return Project(path / "releases" / version, path / "environments" / fingerprint)


def _require_interpreter(project: Project) -> None:
    if not project.python.exists():
        raise workspace.Problem(
            f"this host has no {os.path.realpath(str(project.python))}, by which the environment was made",
            "hosts that share a home need the same Python in the same place: install it here",
        )


def _point(link: Path, target: str) -> bool:
    if link.is_symlink() and os.readlink(str(link)) == target:  # noqa: PTH115  (Path.readlink came with 3.9)
        return False
    workspace.point(link, target)
    return True
