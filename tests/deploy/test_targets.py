"""deploy/targets.mk: what reaches a task through make."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

PROJECT = Path(__file__).resolve().parents[2]
PROGRAM = """#!/usr/bin/env python3
import getpass, os, sys
if "NOBODY" in os.environ:
    import pwd
    pwd.getpwuid = {}.__getitem__
assert getpass.getuser()
seen = (name for name in ("HOST", "HOSTS", "YES", "PRUNE", "KIND") if name in os.environ)
print(sys.argv[-1], *(f"{name}={os.environ[name]}" for name in seen))
"""


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A directory with the Makefile, and a set-up whose `fab` and `scrapy` print what they are told."""
    for name in ("Makefile", "deploy"):
        (tmp_path / name).symlink_to(PROJECT / name)
    for name in ("pyproject.toml", "constraints.txt"):
        (tmp_path / name).touch()
    (tmp_path / ".venv" / "bin").mkdir(parents=True)
    for name in ("fab", "scrapy"):
        program = tmp_path / ".venv" / "bin" / name
        program.write_text(PROGRAM)
        program.chmod(0o755)
    (tmp_path / ".venv" / ".complete").touch()
    return tmp_path


def make(checkout: Path, *arguments: str, **exported: str) -> list[str]:
    """What the programs that `make` ran printed: task, and those of its variables that reached it."""
    done = subprocess.run(
        ["make", *arguments],
        cwd=checkout,
        env={"PATH": os.environ["PATH"], **exported},
        capture_output=True,
        text=True,
        check=True,
    )
    return done.stdout.splitlines()


def test_what_a_shell_exports_narrows_nothing(checkout: Path) -> None:
    assert make(checkout, "stop", HOST="laptop", HOSTS="laptop", YES="1") == ["stop KIND=movies"]


def test_parts_are_removed_where_the_command_line_says_so(checkout: Path) -> None:
    assert make(checkout, "collect", PRUNE="1") == ["collect KIND=movies"]
    assert make(checkout, "collect", "PRUNE=1") == ["collect PRUNE=1 KIND=movies"]


def test_a_user_without_an_entry_in_passwd_gets_as_far_as_the_task(checkout: Path) -> None:
    assert make(checkout, "stop", NOBODY="1") == ["stop KIND=movies"]


def test_several_kinds_reach_each_step(checkout: Path) -> None:
    assert make(checkout, "remote_all", "KIND=movies tv") == [
        "init KIND=movies tv",
        "tv KIND=movies tv",
        "launch KIND=movies tv",
    ]


def test_the_command_line_narrows_a_target_and_those_under_it(checkout: Path) -> None:
    assert make(checkout, "clean", "HOSTS=a,b", "YES=1") == ["clean HOSTS=a,b YES=1 KIND=movies"]
    assert make(checkout, "remote_all", "HOST=a") == [
        "init HOST=a KIND=movies",
        "movies HOST=a KIND=movies",
        "launch HOST=a KIND=movies",
    ]


@pytest.mark.parametrize(
    ("alias", "tasks"),
    [
        ("init_remote", ["init"]),
        ("ping_remote", ["ping"]),
        ("load_remote", ["load"]),
        ("kill_remote", ["kill"]),
        ("clean_remote", ["clean"]),
        ("map_reduce_remote", ["people", "launch"]),
        ("remote_all", ["init", "people", "launch"]),
    ],
)
def test_the_names_of_the_original_program_work(alias: str, tasks: list[str], checkout: Path) -> None:
    assert make(checkout, alias, "KIND=people") == [f"{task} KIND=people" for task in tasks]
