"""deploy.install.provisioning: an init that fails leaves what works."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from deploy.install import provisioning
from deploy.install.fleet_redis import FleetRedis
from deploy.install.wheelhouse import NoWheels
from deploy.on_host import workspace
from deploy.on_host.install import environment, project
from deploy.ssh.failures import HostFailure
from deploy.ssh.hosts import Host

HOST = Host("a")


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """A working directory where an earlier version works."""
    made = workspace.create(str(tmp_path / "work"))
    (made / "releases" / "earlier").mkdir(parents=True)
    python = made / "environments" / "earlier" / "bin" / "python"
    python.parent.mkdir(parents=True)
    python.symlink_to(sys.executable)
    project.switch(str(made), "earlier", "earlier")
    return made


@pytest.fixture
def init(
    path: Path, fleet_here: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> Callable[[], provisioning.Provided | HostFailure]:
    """`make init` of one host whose platform has no wheels; Redis is elsewhere, and answers."""

    def wheels(*_: object) -> None:
        raise NoWheels("none")

    monkeypatch.setattr(provisioning.Wheelhouse, "wheels", wheels)
    monkeypatch.setattr(provisioning, "check_redis", lambda *_: 0.001)
    fleet, redis = fleet_here({"a": path}, "a"), FleetRedis.at("redis://10.0.0.1", on_main=False)
    return lambda: provisioning.provide(fleet, redis)[HOST]


def in_use(path: Path) -> list[str]:
    return project.current(path).directories


EARLIER = ["releases/earlier", "environments/earlier"]


def test_an_environment_that_cannot_be_made_leaves_the_earlier_version(
    path: Path, init: Callable[[], object], monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object, **__: object) -> None:
        raise workspace.Problem("no room")

    monkeypatch.setattr(environment, "_make", fail)
    failure = init()
    assert isinstance(failure, HostFailure)
    assert "no room" in failure.reason
    assert in_use(path) == EARLIER


def test_a_version_that_does_not_start_leaves_the_earlier_one(
    path: Path, init: Callable[[], object], monkeypatch: pytest.MonkeyPatch
) -> None:
    def make_broken(directory: Path, *_: object) -> None:
        (directory / "bin").mkdir(parents=True)
        (directory / "bin" / "python").write_text("#!/bin/sh\necho no such module; exit 1\n")
        (directory / "bin" / "python").chmod(0o755)

    monkeypatch.setattr(environment, "_make", make_broken)
    monkeypatch.setattr(environment, "_pip", lambda *_: None)
    failure = init()
    assert isinstance(failure, HostFailure)
    assert "does not run here: no such module" in failure.reason
    assert in_use(path) == EARLIER


def test_what_is_complete_is_switched_to_and_then_left_unchanged(
    path: Path, init: Callable[[], object], monkeypatch: pytest.MonkeyPatch
) -> None:
    def make(directory: Path, *_: object) -> None:
        (directory / "bin").mkdir(parents=True)
        (directory / "bin" / "python").write_text(f'#!/bin/sh\nexec {sys.executable} "$@"\n')
        (directory / "bin" / "python").chmod(0o755)

    monkeypatch.setattr(environment, "_make", make)
    monkeypatch.setattr(environment, "_pip", lambda *_: None)
    first, second = init(), init()
    assert isinstance(first, provisioning.Provided)
    assert isinstance(second, provisioning.Provided)
    assert (first.project, first.environment) == ("installed", "installed from its index")
    assert (second.project, second.environment) == ("unchanged", "unchanged")
    assert not set(in_use(path)) & set(EARLIER)
