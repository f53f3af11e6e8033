"""deploy.on_host.processes: what we started, told from all else."""

from __future__ import annotations

import errno
import json
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from deploy.on_host import processes, workspace
from deploy.on_host.install import removal
from deploy.on_host.run import workers

SLEEPER = [sys.executable, "-c", "import time; time.sleep(600)"]
STUBBORN = """
import signal, time
signal.signal(signal.SIGTERM, signal.SIG_IGN)
print("ready", flush=True)
time.sleep(600)
"""
STARTED: list[subprocess.Popen[bytes]] = []


@pytest.fixture
def path(tmp_path: Path) -> Iterator[Path]:
    """A working directory; what is recorded in it is ended afterwards."""
    made = workspace.create(str(tmp_path / "work"))
    with processes.locked(made):
        pass
    yield made
    for process in STARTED:
        process.kill()
        process.wait()
    STARTED.clear()


def start(path: Path, name: str, command: list[str]) -> processes.Record:
    STARTED.append(processes.start(path, name, command, path, path / "logs" / f"{name}.log"))
    record: processes.Record = json.loads((processes.directory(path) / f"{name}.json").read_text())
    return record


def test_a_started_process_is_recorded_and_leads_a_session_of_its_own(path: Path) -> None:
    record = start(path, "movies-1", SLEEPER)
    session = Path(f"/proc/{record['pid']}/stat").read_text().rpartition(")")[2].split()[3]
    assert int(session) == record["pid"]


@pytest.mark.parametrize("changed", [{"started_ticks": 1}, {"boot": "another"}])
def test_another_process_of_the_same_pid_is_not_ours(path: Path, changed: dict[str, object]) -> None:
    record = start(path, "movies-1", SLEEPER)
    file = processes.directory(path) / "movies-1.json"
    file.write_text(json.dumps({**record, **changed}))
    processes.kill([json.loads(file.read_text())])
    with processes.locked(path):
        assert processes.recorded(path) == []
        assert file.exists(), "only the end of a launch, a stop or a kill may remove records"
    assert not file.exists()
    assert processes.is_alive(record)
    processes.kill([record])


def test_stop_ends_workers_and_leaves_redis(path: Path) -> None:
    redis = start(path, "redis", SLEEPER)
    start(path, "movies-1", SLEEPER)
    start(path, "people-1", SLEEPER)
    assert workers.stop(str(path), deadline_s=10) == {"ended": 2, "remaining": []}
    assert processes.is_alive(redis)
    assert workers.stop(str(path), deadline_s=10) == {"ended": 0, "remaining": []}


def test_a_worker_that_does_not_stop_is_told_once_and_can_be_killed(path: Path) -> None:
    pid = start(path, "movies-1", [sys.executable, "-c", STUBBORN])["pid"]
    while "ready" not in (path / "logs" / "movies-1.log").read_text():
        assert STARTED[0].poll() is None
    assert workers.stop(str(path), deadline_s=0.2) == {"ended": 0, "remaining": [pid]}
    assert processes.workers(path)[0]["stopping"] is True
    with pytest.raises(workspace.Problem, match="still running here: movies-1"):
        removal.remove(str(path))
    assert workers.kill(str(path), deadline_s=10) == {"ended": 1, "remaining": []}


def test_a_process_that_cannot_be_recorded_does_not_run_on(
    path: Path, started: list[subprocess.Popen[bytes]], monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> bool:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(workspace, "write_privately", full)
    with pytest.raises(OSError, match="No space left"):
        processes.start(path, "movies-1", SLEEPER, path, path / "logs" / "movies-1.log")
    assert [process.returncode for process in started] == [-signal.SIGKILL]


def test_a_zombie_counts_as_ended(path: Path) -> None:
    record = start(path, "movies-1", ["/bin/true"])
    assert processes.wait_for_end([record], deadline_s=10) == []
    assert STARTED[0].returncode is None
