"""The workers' Python environment: one directory a set of requirements, complete or not used.

pip comes as a wheel with the others, so a host needs neither pip nor ensurepip nor a way to an index.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

from deploy.on_host import workspace

COMPLETE = "complete"
"""Written last into an environment: without it, the environment is begun again."""

ROOM_FOR_EACH_WHEEL_BYTE = 7
"""Measured: 36 MB of wheels need 165 MB unpacked and compiled, beside the wheels themselves and a reserve."""

LAST_LINES = 4


def is_installed(working_dir: str, fingerprint: str) -> bool:
    """Whether the environment called `fingerprint` is there, complete."""
    return (workspace.require(working_dir) / "environments" / fingerprint / COMPLETE).is_file()


def install(working_dir: str, fingerprint: str, interpreter: str, wheels_bytes: int) -> None:
    """Make the environment from the tar of wheels on standard input, and `requirements.txt` in it."""
    path = workspace.require(working_dir)
    free = shutil.disk_usage(str(path)).free
    if free < wheels_bytes * ROOM_FOR_EACH_WHEEL_BYTE:
        raise workspace.Problem(
            f"disk full: {path} has {free >> 20} MB free, the environment needs "
            f"{wheels_bytes * ROOM_FOR_EACH_WHEEL_BYTE >> 20} MB",
            "free some space on this host or choose another REMOTE_WORKING_DIR, then make init again",
        )
    with _alone(path, fingerprint) as environment:
        if environment is not None:
            _install_wheels(path / "wheels", environment, interpreter)


def install_from_index(working_dir: str, fingerprint: str, interpreter: str, requirements: str) -> None:
    """Make the environment with the host's own pip configuration: for a platform that the controller
    finds no wheels for."""
    with _alone(workspace.require(working_dir), fingerprint) as environment:
        if environment is not None:
            _make(environment, interpreter)
            (environment / "requirements.txt").write_text(requirements, encoding="utf-8")
            _pip([str(environment / "bin/python"), "-I", "-m", "pip"], [], environment)
            (environment / COMPLETE).touch()


@contextlib.contextmanager
def _alone(path: Path, fingerprint: str) -> Iterator[Path | None]:
    """The environment's directory, one init at a time; None when another has made it meanwhile."""
    environment = path / "environments" / fingerprint
    with workspace.locked(path / "environments" / ".lock"):
        yield None if (environment / COMPLETE).is_file() else environment


def _install_wheels(wheels: Path, environment: Path, interpreter: str) -> None:
    shutil.rmtree(str(wheels), ignore_errors=True)
    wheels.mkdir(mode=0o700)
    try:
        workspace.unpack_standard_input(wheels)
        _make(environment, interpreter, "--without-pip")
        pip = next(wheels.glob("pip-*.whl"))
        from_wheels = ["--no-index", "--no-deps", "--find-links", "."]
        _pip([str(environment / "bin/python"), "-I", f"{pip.name}/pip"], from_wheels, wheels)
        (environment / COMPLETE).touch()
    finally:
        shutil.rmtree(str(wheels), ignore_errors=True)


def _make(environment: Path, interpreter: str, *options: str) -> None:
    shutil.rmtree(str(environment), ignore_errors=True)
    made = subprocess.run(
        [interpreter, "-I", "-m", "venv", *options, str(environment)],
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
