"""deploy.on_host.install.project, workers and old_versions: which version runs, and which may go."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from deploy.on_host import processes, workspace
from deploy.on_host.install import old_versions, project
from deploy.on_host.processes import Record
from deploy.on_host.run import workers
from deploy.on_host.workspace import Problem

SCRAPY = """
import json, os, sys, time
if sys.argv[1:] == ["crawl", "movies"]:
    with open(os.path.join(os.environ["SAID"], str(os.getpid())), "w") as file:
        json.dump({"environment": dict(os.environ), "directory": os.getcwd()}, file)
    print("Spider opened", flush=True)
    time.sleep(600)
"""
SILENT = "import time; time.sleep(600)"
LONG_AGO_S = 2 * old_versions.SPARED_S


@pytest.fixture
def path(tmp_path: Path, started: list[subprocess.Popen[bytes]]) -> Path:
    """A working directory; its workers are ended afterwards."""
    return workspace.create(str(tmp_path / "work"))


def install(path: Path, version: str, fingerprint: str, program: str = SCRAPY) -> None:
    """A release whose `scrapy` is `program`, and an environment."""
    scrapy = path / "releases" / version / "scrapy"
    scrapy.mkdir(parents=True)
    (scrapy / "__init__.py").write_text("__version__ = '2'\n")
    (scrapy / "__main__.py").write_text(program)
    (scrapy.parent / "tmdb_scrapy.py").touch()
    binaries = path / "environments" / fingerprint / "bin"
    binaries.mkdir(parents=True, exist_ok=True)
    python = binaries / "python"
    python.write_text(f'#!/bin/sh\nexec {sys.executable} "$@"\n')
    python.chmod(0o755)


def launch(path: Path, number: int = 1) -> list[Record]:
    workers.launch(str(path), "movies", str(number), not_passed_on=["THREADS", "LANGUAGE"])
    return processes.workers(path)


def test_what_the_hosts_login_says_about_settings_does_not_reach_workers(
    path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in {"THREADS": "1", "LANGUAGE": "en_US:en", "HTTPS_PROXY": "p"}.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("SAID", str(tmp_path))
    install(path, "v1", "e1")
    project.switch(str(path), "v1", "e1")
    (worker,) = launch(path)
    environment = json.loads((tmp_path / str(worker["pid"])).read_text())["environment"]
    assert not {"THREADS", "LANGUAGE"} & set(environment)
    assert environment["HTTPS_PROXY"] == "p"


def test_a_worker_runs_on_in_its_own_version_after_an_upgrade(
    path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SAID", str(tmp_path))
    install(path, "v1", "e1")
    project.switch(str(path), "v1", "e1")
    (worker,) = launch(path)
    assert worker["uses"] == ["releases/v1", "environments/e1"]
    assert json.loads((tmp_path / str(worker["pid"])).read_text())["directory"] == str(path / "releases/v1")
    install(path, "v2", "e2")
    assert project.switch(str(path), "v2", "e2") is True
    assert project.switch(str(path), "v2", "e2") is False
    assert project.current(path).directories == ["releases/v2", "environments/e2"]
    assert Path(f"/proc/{worker['pid']}/cwd").readlink() == path / "releases/v1"


def test_workers_that_start_slowly_are_waited_for_together(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(workers, "START_DEADLINE_S", 0.5)
    install(path, "v1", "e1", SILENT)
    project.switch(str(path), "v1", "e1")
    before = time.monotonic()
    assert len(launch(path, 6)) == 6
    assert time.monotonic() - before < 6 * 0.5


def test_versions_that_nothing_runs_from_go(
    path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SAID", str(tmp_path))
    for version, fingerprint in (("v1", "e1"), ("v2", "e2"), ("v3", "e2"), ("v4", "e3")):
        install(path, version, fingerprint)
    project.switch(str(path), "v1", "e1")
    launch(path)
    project.switch(str(path), "v3", "e2")
    assert old_versions.remove(str(path)) == 0, "what was made a moment ago may be another init's"
    for directory in (*path.glob("releases/*"), *path.glob("environments/*")):
        os.utime(directory, (time.time() - LONG_AGO_S,) * 2)
    (path / "releases" / "v4").touch()
    assert old_versions.remove(str(path)) == 2
    assert sorted(folder.name for folder in (path / "releases").iterdir()) == ["v1", "v3", "v4"]
    assert sorted(folder.name for folder in (path / "environments").iterdir()) == ["e1", "e2"]


def test_no_version_goes_while_a_record_does_not_say_what_it_uses(path: Path) -> None:
    install(path, "v1", "e1")
    install(path, "v2", "e1")
    project.switch(str(path), "v2", "e1")
    os.utime(path / "releases" / "v1", (time.time() - LONG_AGO_S,) * 2)
    (path / "run" / "another").mkdir(parents=True)
    (path / "run" / "another" / "movies-1.json").write_text('{"pid": 1}')
    assert old_versions.remove(str(path)) == 0


def test_a_version_that_does_not_start_says_why(path: Path) -> None:
    install(path, "v1", "e1")
    (path / "releases" / "v1" / "tmdb_scrapy.py").write_text("import nothing_like_it")
    with pytest.raises(Problem, match=r"does not run here: .*nothing_like_it"):
        project.check(str(path), "v1", "e1")


def test_a_missing_interpreter_is_told_from_a_missing_project(path: Path) -> None:
    with pytest.raises(Problem, match="not installed"):
        project.current(path)
    install(path, "v1", "e1")
    project.switch(str(path), "v1", "e1")
    python = path / "environments" / "e1" / "bin" / "python"
    python.unlink()
    python.symlink_to("/usr/bin/python3.99")
    for use in (lambda: project.current(path), lambda: project.check(str(path), "v1", "e1")):
        with pytest.raises(Problem, match=r"no /usr/bin/python3\.99") as missing:
            use()
        assert "install it here" in missing.value.advice


def test_records_of_the_dead_go_with_the_next_stop(path: Path) -> None:
    install(path, "v1", "e1", "")
    project.switch(str(path), "v1", "e1")
    launch(path)
    assert list(processes.directory(path).glob("*.json")) == []
