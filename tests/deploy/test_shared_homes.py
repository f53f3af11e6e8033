"""deploy.shared_homes: who shares a directory, and clones that cannot be told apart in it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from deploy import shared_homes
from deploy.on_host import processes, workspace
from deploy.ssh.hosts import Host


def find(fleet: Any) -> shared_homes.Homes:
    return shared_homes.find(fleet, fleet.hosts, create=True)


def test_hosts_with_one_directory_have_one_keeper(fleet_here: Any, tmp_path: Path) -> None:
    shared, own = tmp_path / "shared", tmp_path / "own"
    homes = find(fleet_here({"a": shared, "b": shared, "c": own}, "a b c", main="b"))
    assert homes.keeper == {Host("a"): Host("b"), Host("b"): Host("b"), Host("c"): Host("c")}
    assert homes.failures == {}


def test_clones_of_one_name_in_one_directory_are_refused(
    fleet_here: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    name = workspace.hostname  # each host's address

    class BootId:
        def read_text(self) -> str:
            return name()

    monkeypatch.setattr(workspace, "hostname", lambda: "debian")
    monkeypatch.setattr(processes, "BOOT_ID", BootId())
    shared, own = tmp_path / "shared", tmp_path / "own"
    homes = find(fleet_here({"a": shared, "b": shared, "c": own}, "a b c"))
    (refused,) = homes.failures.values()
    assert "both are called debian" in refused.reason
    assert set(homes.keeper) | set(homes.failures) == {Host("a"), Host("b"), Host("c")}
    assert Host("c") in homes.keeper, "a clone with a home of its own is nobody's namesake"
