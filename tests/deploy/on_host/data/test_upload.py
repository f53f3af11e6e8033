"""deploy.on_host.data.upload: which parts a host sends."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from deploy.on_host import workspace
from deploy.on_host.data import upload
from deploy.on_host.install import project
from deploy.on_host.workspace import Problem

UPLOAD = """
import os, sys
print("uploaded", *sys.argv[1:], os.environ.get("NEXTCLOUD_UPLOAD"))
"""


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """A working directory with a part, and a project whose `scrapy` says what it is told."""
    made = workspace.create(str(tmp_path / "work"))
    scrapy = made / "releases" / "v1" / "scrapy"
    scrapy.mkdir(parents=True)
    (scrapy / "__init__.py").touch()
    (scrapy / "__main__.py").write_text(UPLOAD)
    python = made / "environments" / "e1" / "bin" / "python"
    python.parent.mkdir(parents=True)
    python.write_text(f'#!/bin/sh\nexec {sys.executable} "$@"\n')
    python.chmod(0o755)
    project.switch(str(made), "v1", "e1")
    (made / "data" / "movies" / "parts").mkdir(parents=True)
    (made / "data" / "movies" / "parts" / "a-1-00.jsonl").touch()
    return made


def test_parts_are_sent_to_the_share_that_is_named_of_which_nothing_stays(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NEXTCLOUD_UPLOAD", "https://of.the.login.example.org/s/1")
    share = {"NEXTCLOUD_UPLOAD": "https://given.example.org/s/2", "NEXTCLOUD_PASSWORD": "open-sesame"}
    said = upload.upload_parts(str(path), "movies", not_passed_on=["NEXTCLOUD_UPLOAD"], share=share)
    assert said == "uploaded upload movies --parts https://given.example.org/s/2"
    assert not [file for file in path.rglob("*") if file.is_file() and b"open-sesame" in file.read_bytes()]


@pytest.mark.parametrize(("kind", "refused"), [("movies", True), ("people", False)])
def test_parts_that_a_worker_of_any_host_writes_to_are_refused(path: Path, kind: str, refused: bool) -> None:
    (path / "run" / "another").mkdir(parents=True)
    (path / "run" / "another" / f"{kind}-1.json").write_text("{}")
    if refused:
        with pytest.raises(Problem, match="workers on another still write"):
            upload.upload_parts(str(path), "movies", not_passed_on=[], share={})
    else:
        assert upload.upload_parts(str(path), "movies", not_passed_on=[], share={}).startswith("uploaded")
