"""deploy.install.removal: nothing is removed under a worker, wherever it runs."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from deploy.install.removal import clean
from deploy.on_host import processes, workspace
from deploy.ssh.failures import FleetError, HostFailure
from deploy.ssh.hosts import Host

YES = {"YES": "1"}
Make = Callable[..., Any]


@pytest.fixture
def shared(tmp_path: Path) -> Path:
    """A working directory that hosts share."""
    return workspace.create(str(tmp_path / "shared"))


@pytest.fixture
def own(tmp_path: Path) -> Path:
    """A working directory of one host."""
    return workspace.create(str(tmp_path / "own"))


@pytest.fixture
def sleeper() -> Iterator[subprocess.Popen[bytes]]:
    """A process to be recorded as a worker."""
    with subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"]) as process:
        yield process
        process.kill()


def record(path: Path, host: str, name: str, process: subprocess.Popen[bytes]) -> Path:
    """As `processes.start` does on `host`."""
    ticks = Path(f"/proc/{process.pid}/stat").read_text().rpartition(")")[2].split()[19]
    folder = path / "run" / host
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "lock").touch()
    written = folder / f"{name}.json"
    written.write_text(
        json.dumps(
            {
                "name": name,
                "pid": process.pid,
                "started_ticks": int(ticks),
                "boot": processes.BOOT_ID.read_text().strip(),
                "stopping": False,
                "console_password": "",
                "uses": [],
            }
        )
    )
    return written


def reason(results: dict[Host, str | HostFailure], host: str) -> str:
    failure = results[Host(host)]
    assert isinstance(failure, HostFailure), failure
    return failure.reason


def test_a_shared_directory_stays_while_a_worker_of_any_of_its_hosts_runs(
    fleet_here: Make, shared: Path, sleeper: subprocess.Popen[bytes]
) -> None:
    record(shared, "c", "movies-1", sleeper)
    results = clean(fleet_here({"a": shared, "b": shared, "c": shared}, "a b c"), YES)
    assert all(reason(results, host) == "workers still run on c" for host in "abc")
    assert (shared / "run").is_dir()


def test_the_dead_of_any_host_are_no_obstacle(
    fleet_here: Make, shared: Path, sleeper: subprocess.Popen[bytes]
) -> None:
    record(shared, "c", "movies-1", sleeper)
    sleeper.kill()
    sleeper.wait()
    outcomes = clean(fleet_here({"a": shared, "c": shared}, "a c"), YES).values()
    assert "removed" in outcomes
    assert not shared.exists()


def test_a_shared_directory_stays_when_a_host_with_records_in_it_does_not_answer(
    fleet_here: Make, shared: Path, sleeper: subprocess.Popen[bytes]
) -> None:
    record(shared, "c", "movies-1", sleeper)
    results = clean(fleet_here({"a": shared}, "a c"), YES)
    assert "used by c too" in reason(results, "a")
    assert (shared / "run" / "c").is_dir()


def test_a_chosen_host_does_not_lose_the_directory_that_it_shares_with_others(
    fleet_here: Make, shared: Path
) -> None:
    results = clean(fleet_here({"a": shared, "b": shared}, "a b", chosen="b"), YES)
    assert "that of a too" in reason(results, "b")
    assert list(results) == [Host("b")]
    assert shared.exists()


def test_a_main_machine_that_is_not_listed_is_cleaned_with_all_and_only_then(
    fleet_here: Make, shared: Path, own: Path
) -> None:
    (own / "redis").mkdir()
    directories = {"main": own, "a": shared}
    assert list(clean(fleet_here(directories, "a b", "main", chosen="a"), YES)) == [Host("a")]
    assert own.exists()
    assert list(clean(fleet_here(directories, "a", "main", chosen="a"), YES)) == [Host("a")]
    assert own.exists(), "all of ips.txt was named, and REMOTE_HOST was not"
    results = clean(fleet_here(directories, "a", "main"), YES)
    assert results == {Host("main"): "removed", Host("a"): "nothing there"}
    assert not own.exists()


@pytest.mark.parametrize("answers", [True, False])
def test_redis_stays_while_any_host_has_or_may_have_workers(
    answers: bool, fleet_here: Make, shared: Path, own: Path, sleeper: subprocess.Popen[bytes]
) -> None:
    (own / "redis").mkdir()
    record(shared, "a", "movies-1", sleeper)
    directories = {"main": own, "a": shared} if answers else {"main": own}
    results = clean(fleet_here(directories, "main a", "main", chosen="main"), YES)
    assert "its Redis" in reason(results, "main")
    assert "workers on a" in reason(results, "main")
    assert own.exists()


@pytest.mark.parametrize("main", [True, False])
def test_the_queue_is_spoken_of_where_it_would_go(
    main: bool, fleet_here: Make, own: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    if main:
        (own / "redis").mkdir()
    with pytest.raises(FleetError, match="YES=1"):
        clean(fleet_here({"a": own}, "a"), {})
    assert ("the fleet's queue" in capsys.readouterr().out) == main
    assert own.exists()
