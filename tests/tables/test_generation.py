"""All tables old or all new, whatever ends the process."""

from __future__ import annotations

import fcntl
import os
import signal
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tmdb_scrapy.tables.generation import InUse, is_published, new_generation

STEPS = ("os.mkdir", "os.rename", "os.symlink", "os.remove", "os.rmdir", "open")
"""What a process asks of the file system, as `sys.addaudithook` names it."""


def write(data_dir: Path, version: str) -> None:
    with new_generation(data_dir, ["tmdb.duckdb"]) as new:
        (new / "movies.parquet").write_text(version)
        (new / "tmdb.duckdb").write_text(version)


def read(data_dir: Path) -> list[str]:
    """The versions of the Parquet file and of the database; empty when neither is there."""
    paths = [data_dir / "tables" / "movies.parquet", data_dir / "tmdb.duckdb"]
    return [path.read_text() for path in paths if path.exists()]


def killed_at(step: int, data_dir: Path) -> bool:
    """Write version "new" in a process that is killed with -9 at that step; False when it ended before."""
    process = os.fork()
    if process == 0:
        left = step

        def hook(event: str, arguments: object) -> None:
            nonlocal left
            left -= event in STEPS  # os.kill is an event, but none of the steps
            if left == 0 and event in STEPS:
                os.kill(os.getpid(), signal.SIGKILL)

        sys.addaudithook(hook)
        write(data_dir, "new")
        os._exit(0)
    return os.waitstatus_to_exitcode(os.waitpid(process, 0)[1]) == -signal.SIGKILL


@pytest.mark.parametrize("before", [[], ["old", "old"]], ids=["first tables", "tables replaced"])
def test_a_kill_at_any_step_leaves_all_old_or_all_new(tmp_path: Path, before: list[str]) -> None:
    seen = []
    for step in _steps():
        data_dir = tmp_path / str(step)
        if before:
            write(data_dir, "old")
        killed = killed_at(step, data_dir)
        seen.append(read(data_dir))
        write(data_dir, "next")
        assert read(data_dir) == ["next", "next"], f"step {step}"
        assert len(list((data_dir / ".tables").glob("[0-9]*"))) == 1, "what the killed one left is removed"
        if not killed:
            break
    assert len(seen) > 10
    assert all(versions in (before, ["new", "new"]) for versions in seen), seen
    assert before in seen
    assert ["new", "new"] in seen[:-1], "killed after the tables were replaced, too"


def _steps() -> Iterator[int]:
    yield from range(1, 200)


def test_an_error_leaves_the_old_tables_and_nothing_else(tmp_path: Path) -> None:
    write(tmp_path, "old")
    with pytest.raises(ZeroDivisionError), new_generation(tmp_path, ["tmdb.duckdb"]) as new:
        (new / "movies.parquet").write_text("half")
        raise ZeroDivisionError
    assert read(tmp_path) == ["old", "old"]
    assert len(list((tmp_path / ".tables").glob("[0-9]*"))) == 1


def test_a_second_process_is_refused_while_one_writes(tmp_path: Path) -> None:
    write(tmp_path, "old")
    with (tmp_path / ".tables" / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        with pytest.raises(InUse, match="another `scrapy tables`"):
            write(tmp_path, "new")
    assert read(tmp_path) == ["old", "old"]


@pytest.mark.parametrize("name", ["tables", "tmdb.duckdb"])
def test_what_somebody_else_put_there_is_not_replaced(tmp_path: Path, name: str) -> None:
    (tmp_path / name).mkdir()
    (tmp_path / name / "own").write_text("precious")
    with pytest.raises(InUse, match=f"{name}; move it away"):
        write(tmp_path, "new")
    assert (tmp_path / name / "own").read_text() == "precious"


@pytest.mark.parametrize("name", ["tables", "tmdb.duckdb"])
def test_somebodys_own_link_is_not_taken_for_ours(tmp_path: Path, name: str) -> None:
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    data_dir = tmp_path / "data"
    write(data_dir, "old")
    (data_dir / name).unlink()
    (data_dir / name).symlink_to(elsewhere)
    assert not is_published(data_dir, ["tmdb.duckdb"])
    with pytest.raises(InUse, match=f"{name}; move it away"):
        write(data_dir, "new")
    assert (data_dir / name).readlink() == elsewhere


def test_the_sets_may_lie_on_another_disk(tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / ".tables").symlink_to(tmp_path / "elsewhere")
    for version in ("old", "new"):
        write(tmp_path / "data", version)
        assert read(tmp_path / "data") == [version, version]
    assert is_published(tmp_path / "data", ["tmdb.duckdb"])
    assert len(list((tmp_path / "elsewhere").glob("[0-9]*"))) == 1


def test_other_files_among_the_sets_are_left_alone(tmp_path: Path) -> None:
    write(tmp_path, "old")
    (tmp_path / ".tables" / "77").touch()
    write(tmp_path, "new")
    assert read(tmp_path) == ["new", "new"]
    assert (tmp_path / ".tables" / "77").exists()


def test_the_directory_may_be_moved(tmp_path: Path) -> None:
    write(tmp_path / "here", "old")
    (tmp_path / "here").rename(tmp_path / "there")
    assert read(tmp_path / "there") == ["old", "old"]
