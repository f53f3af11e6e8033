"""Fixtures of the fleet tests; see `network.py` and `controller.py` beside this file."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from controller import Controller
from network import Machine, Network, network, why_impossible

REQUIRED = "CI_REQUIRE_ALL"
ROOM_BYTES = 4 << 30


@pytest.fixture(scope="session", autouse=True)
def machines_are_possible() -> None:
    """Skip, with the reason, where machines cannot be made; fail where they must be."""
    reason = why_impossible()
    if reason and os.environ.get(REQUIRED) == "1":
        pytest.fail(f"{REQUIRED}=1, but the fleet cannot be tested: {reason}")
    if reason:
        pytest.skip(f"the fleet cannot be tested here: {reason}")


@pytest.fixture(scope="session")
def wheel_cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Wheels are fetched once a test run."""
    return tmp_path_factory.mktemp("cache")


@pytest.fixture(scope="module")
def lan() -> Iterator[Network]:
    """An empty network for the tests of a module."""
    with tempfile.TemporaryDirectory(prefix="fleet-", dir=_fast_disk()) as folder:
        Path(folder).chmod(0o755)  # sshd reads authorized_keys as the user who logs in
        with network(Path(folder) / "network") as made:
            yield made


def _fast_disk() -> str | None:
    """Memory, where there is enough: each machine's environment has ten thousand small files."""
    memory = Path("/dev/shm")
    return str(memory) if memory.is_dir() and shutil.disk_usage(memory).free > ROOM_BYTES else None


@pytest.fixture
def controller_of(tmp_path: Path, wheel_cache: Path) -> Callable[[Network, list[Machine]], Controller]:
    """A user's machine that knows all machines of a network and has the given ones in its ips.txt."""

    def make(lan: Network, machines: list[Machine]) -> Controller:
        controller = Controller(tmp_path, lan, wheel_cache)
        controller.write_hosts(machine.address for machine in machines)
        controller.write_env(
            REMOTE_USER="fleet",
            REMOTE_HOST=machines[0].address if machines else "",
            REMOTE_WORKING_DIR="~/tmdb",
        )
        return controller

    return make
