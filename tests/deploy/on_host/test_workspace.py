"""deploy.on_host.workspace and removal: what may be a working directory, and what is removed with it."""

from __future__ import annotations

from pathlib import Path

import pytest

from deploy.on_host import workspace
from deploy.on_host.install import removal
from deploy.on_host.workspace import Problem


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A home directory of the SSH user."""
    folder = tmp_path / "users" / "me"
    folder.mkdir(parents=True)
    monkeypatch.setenv("HOME", str(folder))
    return folder


@pytest.mark.parametrize(
    "written", ["/", "~", "~/", ".", "", "..", "~/..", "/..", "~/a/..", "../me", "~/a:b"]
)
def test_dangerous_directories_are_refused(written: str, home: Path) -> None:
    with pytest.raises(Problem, match="cannot be ours"):
        workspace.create(written)


def test_a_link_to_the_home_is_the_home(home: Path) -> None:
    (home / "link").symlink_to(home)
    with pytest.raises(Problem):
        workspace.create("~/link")


@pytest.mark.parametrize("written", ["~/tmdb", "tmdb", '~/it\'s "my" $HOME; dir', "~/a/b/c"])
def test_other_directories_are_made_for_their_owner_only(written: str, home: Path) -> None:
    path = workspace.create(written)
    assert path == home / written.removeprefix("~/")
    assert path.stat().st_mode & 0o777 == 0o700


def test_removal_refuses_what_init_did_not_make(home: Path) -> None:
    (home / "precious").mkdir()
    (home / "precious" / "data").mkdir()
    for action in (removal.look, removal.remove):
        with pytest.raises(Problem, match="was not made by make init"):
            action("~/precious")
    assert (home / "precious" / "data").is_dir()


def test_removal_leaves_what_is_not_ours(home: Path, tmp_path: Path) -> None:
    (home / "work").mkdir()
    (home / "work" / "thesis.tex").write_text("years")
    (tmp_path / "big-disk").mkdir()
    (tmp_path / "big-disk" / "file").touch()
    path = workspace.create("~/work")
    (path / "data").symlink_to(tmp_path / "big-disk")
    (path / "logs").mkdir()
    assert removal.remove("~/work") is False
    assert [file.name for file in path.iterdir()] == ["thesis.tex"]
    assert (tmp_path / "big-disk" / "file").exists()


def test_removal_takes_a_directory_of_ours_whole_and_can_be_repeated(home: Path) -> None:
    path = workspace.create("~/tmdb")
    for name in workspace.CONTENTS[:-1]:
        (path / name).mkdir()
        (path / name / "file").touch()
    (path / ".survey-0123").touch()
    assert removal.remove("~/tmdb") is True
    assert not path.exists()
    assert removal.remove("~/tmdb") is True
    assert removal.look("~/tmdb")["exists"] is False


def test_private_files_are_private_and_unchanged_ones_are_left(home: Path) -> None:
    path = home / "secret"
    assert workspace.write_privately(path, "a") is True
    assert path.stat().st_mode & 0o777 == 0o600
    before = path.stat().st_ino
    assert workspace.write_privately(path, "a") is False
    assert path.stat().st_ino == before
    path.chmod(0o644)
    assert workspace.write_privately(path, "a") is True
    assert path.stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize("name", [".env", "data", "logs", "project"])
def test_an_older_directory_with_names_that_init_would_take_is_refused(name: str, home: Path) -> None:
    (home / "site").mkdir()
    (home / "site" / name).mkdir()
    with pytest.raises(Problem, match=f"files that init would replace: {name}"):
        workspace.create("~/site")
    assert [file.name for file in (home / "site").iterdir()] == [name]


def test_an_older_directory_of_somebody_else_is_refused(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (home / "theirs").mkdir()
    monkeypatch.setattr("os.geteuid", lambda: 4242)
    with pytest.raises(Problem, match="belongs to another user"):
        workspace.create("~/theirs")


def test_a_directory_of_ours_may_be_made_again(home: Path) -> None:
    (workspace.create("~/tmdb") / "data").mkdir()
    assert workspace.create("~/tmdb") == home / "tmdb"
