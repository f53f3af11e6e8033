"""deploy.on_host.privacy: others on a host neither read nor change what steers, whatever the umask."""

from __future__ import annotations

import io
import json
import subprocess
import sys
import tarfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from deploy.on_host import processes, workspace
from deploy.on_host.install import project, release
from deploy.on_host.run import workers
from deploy.ssh.remote_calls import _program

WORKER = """
import pathlib, time
pathlib.Path('../../data/result').touch()
print('Spider opened', flush=True)
time.sleep(600)
"""


def call(function: Callable[..., object], payload: bytes = b"", **arguments: Any) -> Any:
    """As on a host whose login has an umask that hides nothing."""
    program = _program(function, arguments, b"--mark--")
    done = subprocess.run(
        [
            sys.executable,
            "-I",
            "-c",
            "import sys;exec(sys.stdin.buffer.read(int(sys.stdin.buffer.readline())))",
        ],
        input=b"%d\n" % len(program) + program + payload,
        capture_output=True,
        cwd="/",
        umask=0,
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout.partition(b"--mark--")[2])


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """A working directory with a project whose worker writes a result."""
    made = workspace.create(str(tmp_path / "work"))
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w") as archive:
        for name, text in {"scrapy/__init__.py": "", "scrapy/__main__.py": WORKER}.items():
            entry = tarfile.TarInfo(name)
            entry.size = len(text)
            entry.mode = 0o644
            archive.addfile(entry, io.BytesIO(text.encode()))
    for folder in ("logs", "run", "releases"):
        (made / folder).mkdir()
        (made / folder).chmod(0o777)
    call(release.write_environment_file, working_dir=str(made), text="TMDB_API_KEY=k\n", authority="pem")
    call(release.install, packed.getvalue(), working_dir=str(made), version="v1")
    binaries = made / "environments" / "e1" / "bin"
    binaries.mkdir(parents=True)
    (binaries / "python").symlink_to(sys.executable)
    call(project.switch, working_dir=str(made), version="v1", fingerprint="e1")
    return made


def test_what_steers_is_private_and_what_is_collected_is_the_users_own(path: Path) -> None:
    call(workers.launch, working_dir=str(path), kind="movies", processes_wanted="1", not_passed_on=[])
    (worker,) = processes.workers(path)
    try:
        open_to_others = {
            str(file.relative_to(path))
            for folder in ("run", "logs", ".env", "redis-ca.pem")
            for file in [path / folder, *(path / folder).rglob("*")]
            if file.stat().st_mode & 0o077
        }
        assert open_to_others == set()
        assert (path / "run" / workspace.hostname() / "movies-1.json").exists()
        steering = [path / "releases", *(path / "releases").rglob("*")]
        assert not [file for file in steering if not file.is_symlink() and file.stat().st_mode & 0o022]
        assert (path / "data" / "result").stat().st_mode & 0o777 == 0o666
    finally:
        processes.kill([worker])


def test_an_older_log_is_closed_to_others(path: Path) -> None:
    log = path / "logs" / workspace.hostname() / "movies-1.log"
    log.parent.mkdir()
    log.touch()
    log.chmod(0o644)
    call(workers.launch, working_dir=str(path), kind="movies", processes_wanted="1", not_passed_on=[])
    processes.kill(processes.workers(path))
    assert log.stat().st_mode & 0o777 == 0o600
