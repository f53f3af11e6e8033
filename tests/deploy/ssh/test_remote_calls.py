"""deploy.ssh.remote_calls: the modules for hosts run from memory, and their failures say what to do."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

from deploy.on_host import machine, workspace
from deploy.on_host.install import release
from deploy.ssh.remote_calls import COMMAND, _program

MARK = b"\n--mark\n"


def run(
    function: Callable[..., object], payload: bytes = b"", **arguments: object
) -> subprocess.CompletedProcess[bytes]:
    """What a host's shell does with a call; in /, so that no module is found in the working directory."""
    program = _program(function, arguments, MARK)
    command = COMMAND.replace("python3", f"{sys.executable} -I -S")
    text = b"%d\n" % len(program) + program + payload
    return subprocess.run(["/bin/sh", "-c", command], input=text, capture_output=True, cwd="/")


def test_a_result_comes_back_after_the_mark() -> None:
    done = run(machine.describe)
    assert json.loads(done.stdout.partition(MARK)[2])["architecture"] == machine.describe()["architecture"]


def test_arguments_pass_through_no_shell(tmp_path: Path) -> None:
    nasty = f'{tmp_path}/it\'s "$(touch {tmp_path}/hacked)"; `reboot` \\ é'
    done = run(workspace.locate.__globals__["require"], working_dir=nasty)
    told = json.loads(done.stderr.partition(MARK)[2])
    assert done.returncode == 1
    assert told["advice"] == "run make init first"
    assert nasty in told["reason"]
    assert list(tmp_path.iterdir()) == []


def test_modules_of_every_folder_are_sent(tmp_path: Path) -> None:
    path = workspace.create(str(tmp_path / "w"))
    done = run(release.is_installed, working_dir=str(path), version="1")
    assert json.loads(done.stdout.partition(MARK)[2]) is False, done.stderr


def test_a_payload_follows_the_program(tmp_path: Path) -> None:
    path = workspace.create(str(tmp_path / "w"))
    (path / "releases").mkdir()
    done = run(release.install, b"this is no tar", working_dir=str(path), version="1")
    assert done.returncode == 1
    assert list((path / "releases").iterdir()) == []


def test_an_unexpected_error_names_its_line() -> None:
    done = run(machine.load, nonsense=1)
    assert "bug" in json.loads(done.stderr.partition(MARK)[2])["advice"]


def test_modules_for_hosts_need_nothing_but_the_standard_library() -> None:
    done = subprocess.run(
        [sys.executable, "-I", "-S", "-c", f"import sys; sys.path.insert(0, {str(ROOT)!r});" + IMPORT_ALL],
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr


ROOT = Path(__file__).resolve().parents[3]
IMPORT_ALL = """
import importlib, pathlib
for file in pathlib.Path(sys.path[0], 'deploy', 'on_host').rglob('*.py'):
    importlib.import_module('.'.join(file.relative_to(sys.path[0]).with_suffix('').parts))
"""
