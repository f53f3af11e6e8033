"""deploy.on_host.install.environment and release: two inits of one host, or of one home, at the same time."""

from __future__ import annotations

import io
import sys
import tarfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from deploy.on_host import workspace
from deploy.on_host.install import environment, release


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return workspace.create(str(tmp_path / "work"))


def test_of_two_inits_one_makes_the_environment_and_the_other_finds_it(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made: list[Path] = []

    def make(directory: Path, *_: object) -> None:
        made.append(directory)
        directory.mkdir(parents=True)  # fails for a second one

    monkeypatch.setattr(environment, "_make", make)
    monkeypatch.setattr(environment, "_pip", lambda *_: None)
    with ThreadPoolExecutor() as pool:
        inits = [
            pool.submit(environment.install_from_index, str(path), "e1", sys.executable, "") for _ in range(4)
        ]
        for init in inits:
            init.result()
    assert made == [path / "environments" / "e1"]
    assert environment.is_installed(str(path), "e1")


def test_a_release_that_another_init_unpacked_first_is_left(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w") as archive:
        archive.addfile(tarfile.TarInfo("scrapy.cfg"))
    for _ in range(2):
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(packed.getvalue())))
        release.install(str(path), "v1")
    assert release.is_installed(str(path), "v1")
    assert [folder.name for folder in (path / "releases").iterdir() if folder.is_dir()] == ["v1"]
