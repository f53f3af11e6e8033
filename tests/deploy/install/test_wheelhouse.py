"""deploy.install.requirements and .wheelhouse: what a host of another Python or C library needs."""

from __future__ import annotations

import os
import platform
import subprocess
from pathlib import Path

import pytest

from deploy.install.requirements import needed
from deploy.install.wheelhouse import NoWheels, Platform, Wheelhouse, _pip_command


def test_libraries_are_pinned_to_what_runs_here_and_what_only_this_machine_does_stays_here() -> None:
    names = {line.partition("==")[0] for line in needed(Platform("3.11.9", "x86_64", "2.36").markers)}
    assert {"scrapy", "twisted", "aiohttp", "pip"} <= names
    assert not {"fabric", "paramiko", "numpy", "pytest"} & names


@pytest.mark.parametrize(("python", "needs_it"), [("3.11.2", True), ("3.11.3", False), ("3.12.0", False)])
def test_a_backport_goes_only_to_the_python_that_needs_it(python: str, needs_it: bool) -> None:
    names = [
        line.partition(">")[0].partition("=")[0]
        for line in needed(Platform(python, "x86_64", "2.36").markers)
    ]
    assert ("async-timeout" in names) == needs_it  # redis: python_full_version < "3.11.3"


def test_wheel_tags_begin_with_the_hosts_own_c_library() -> None:
    tags = Platform("3.12.1", "aarch64", "2.18").wheel_tags
    assert tags[:3] == ["manylinux_2_18_aarch64", "manylinux_2_17_aarch64", "manylinux2014_aarch64"]


def test_another_c_library_has_no_wheels() -> None:
    with pytest.raises(NoWheels, match="no manylinux wheels"):
        _pip_command(Platform("3.12.1", "x86_64", ""))


def test_wheels_are_built_for_the_python_that_runs_not_for_the_first_on_the_path(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = tmp_path / "python3"
    other.write_text("#!/bin/sh\necho 3 99 1\n")
    other.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=":")
    assert Platform.here().python == platform.python_version()
    assert _pip_command(Platform.here())[0] == "wheel"


def test_the_fingerprint_tells_environments_apart() -> None:
    wheelhouse = Wheelhouse()
    platforms = [("3.11.9", "2.36"), ("3.12.9", "2.36"), ("3.11.9", "2.31"), ("3.11.2", "2.36")]
    prints = {wheelhouse.fingerprint(Platform(python, "x86_64", glibc)) for python, glibc in platforms}
    assert len(prints) == len(platforms)
    assert wheelhouse.fingerprint(Platform("3.11.8", "x86_64", "2.36")) in prints


def test_wheels_are_fetched_once_into_a_place_of_the_users_own(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fetched = []

    def pip(command: list[str], cwd: Path, **_: object) -> subprocess.CompletedProcess[str]:
        fetched.append(command)
        (cwd / "scrapy-2.0-py3-none-any.whl").touch()
        return subprocess.CompletedProcess(command, 0)

    monkeypatch.setattr(subprocess, "run", pip)
    house = Wheelhouse(tmp_path / "cache" / "wheels")
    before = os.umask(0)
    try:
        directory = house.wheels(Platform.here()).directory
    finally:
        os.umask(before)
    assert directory.parent == tmp_path / "cache" / "wheels"
    assert (directory / "requirements.txt").read_text() == "scrapy==2.0\n"
    assert house.wheels(Platform.here()).directory == directory
    assert len(fetched) == 1
    for place in (directory, directory.parent, directory.parent.parent):
        assert place.stat().st_mode & 0o077 == 0
