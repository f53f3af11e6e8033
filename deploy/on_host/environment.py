"""The workers' Python environment: one directory a set of requirements, complete or not used.

pip comes as a wheel with the others, so a host needs neither pip nor ensurepip nor a way to an index.
"""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

from deploy.on_host import workspace

COMPLETE = "complete"
"""Written last into an environment: without it, the environment is begun again."""

ROOM_FOR_EACH_WHEEL_BYTE = 7
"""Measured: 36 MB of wheels need 165 MB unpacked and compiled, beside the wheels themselves and a reserve."""

LAST_LINES = 4


def is_current(working_dir: str, fingerprint: str) -> bool:
    """Whether the environment called `fingerprint` is there, complete."""
    return (workspace.require(working_dir) / "environments" / fingerprint / COMPLETE).is_file()


def install(working_dir: str, fingerprint: str, interpreter: str, wheels_bytes: int) -> bool:
    """Make the environment from the tar of wheels on standard input, and `requirements.txt` in it."""
    path = workspace.require(working_dir)
    free = shutil.disk_usage(str(path)).free
    if free < wheels_bytes * ROOM_FOR_EACH_WHEEL_BYTE:
        raise workspace.Problem(
            f"disk full: {path} has {free >> 20} MB free, the environment needs "
            f"{wheels_bytes * ROOM_FOR_EACH_WHEEL_BYTE >> 20} MB",
            "free some space on this host or choose another REMOTE_WORKING_DIR, then make init again",
        )
    wheels = path / "wheels"
    shutil.rmtree(str(wheels), ignore_errors=True)
    wheels.mkdir(mode=0o700)
    try:
        workspace.unpack_standard_input(wheels)
        environment = _begin(path, fingerprint, interpreter, "--without-pip")
        pip = next(wheels.glob("pip-*.whl"))
        from_wheels = ["--no-index", "--no-deps", "--find-links", "."]
        _pip([str(environment / "bin/python"), f"{pip.name}/pip"], from_wheels, wheels)
        (environment / COMPLETE).touch()
    finally:
        shutil.rmtree(str(wheels), ignore_errors=True)
    return True


def install_from_index(working_dir: str, fingerprint: str, interpreter: str, requirements: str) -> bool:
    """Make the environment with the host's own pip configuration: for a platform that the controller
    finds no wheels for."""
    path = workspace.require(working_dir)
    environment = _begin(path, fingerprint, interpreter)
    (environment / "requirements.txt").write_text(requirements, encoding="utf-8")
    _pip([str(environment / "bin/python"), "-m", "pip"], [], environment)
    (environment / COMPLETE).touch()
    return True


def use(working_dir: str, version: str, fingerprint: str) -> bool:
    """Have the release `version` run in the environment `fingerprint`."""
    path = workspace.require(working_dir)
    workspace.point(path / "releases" / version / ".venv", f"../../environments/{fingerprint}")
    return True


def check(working_dir: str) -> str:
    """The Scrapy version that the current release starts under. Raises `Problem` when it does not start."""
    project = workspace.require(working_dir) / "project"
    asked = subprocess.run(
        [str(project / ".venv/bin/python"), "-c", "import scrapy, tmdb_scrapy; print(scrapy.__version__)"],
        cwd=str(project),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    if asked.returncode != 0:
        raise workspace.Problem(
            f"the environment does not run here: {_ending(asked.stdout)}",
            "hosts that share a home need the same Python version and architecture",
        )
    return asked.stdout.strip()


def _begin(path: Path, fingerprint: str, interpreter: str, *options: str) -> Path:
    environment = path / "environments" / fingerprint
    shutil.rmtree(str(environment), ignore_errors=True)
    made = subprocess.run(
        [interpreter, "-m", "venv", *options, str(environment)],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    if made.returncode != 0:
        raise workspace.Problem(
            f"{interpreter} cannot make a virtual environment: {_ending(made.stdout)}",
            "install venv on this host, for example: apt install python3-venv",
        )
    return environment


def _pip(pip: list[str], options: list[str], directory: Path) -> None:
    # The host's pip.conf may name indexes and folders that have nothing to do with our pinned wheels.
    environment = {**os.environ, "PIP_CONFIG_FILE": os.devnull} if options else dict(os.environ)
    installed = subprocess.run(
        [
            *pip,
            "install",
            "--quiet",
            "--disable-pip-version-check",
            "--no-cache-dir",
            *options,
            "-r",
            "requirements.txt",
        ],
        cwd=str(directory),
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    if installed.returncode != 0:
        raise workspace.Problem(
            f"pip could not install the environment: {_ending(installed.stdout)}",
            "see the reason above; make init begins again where it was",
        )


def _ending(output: str) -> str:
    return " / ".join(output.strip().splitlines()[-LAST_LINES:])
