"""deploy.on_host.data.parts: which parts a host removes. What it sends: tests/deploy/data/test_collect.py."""

from __future__ import annotations

import fcntl
from pathlib import Path

import pytest

from deploy.on_host import workspace
from deploy.on_host.data import parts

LINE = b'{"id":1}\n'


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    made = workspace.create(str(tmp_path / "work")) / "data" / "movies" / "parts"
    made.mkdir(parents=True)
    for name in ("a-1-00", "a-1-01"):
        (made / f"{name}.jsonl").write_bytes(LINE)
        (made / f"{name}.index").write_bytes(b"index")
    return made


def removed(directory: Path, **sizes: int) -> int:
    working_dir = str(directory.parents[2])
    return parts.remove(
        working_dir, "movies", {f"a-1-{name[1:]}.jsonl": size for name, size in sizes.items()}
    )


def names(directory: Path) -> set[str]:
    return {path.name for path in directory.iterdir()}


def test_a_part_goes_with_its_index_and_others_stay(directory: Path) -> None:
    assert removed(directory, _00=len(LINE)) == 1
    assert names(directory) == {"a-1-01.jsonl", "a-1-01.index"}


def test_a_part_that_has_become_longer_stays(directory: Path) -> None:
    with (directory / "a-1-00.jsonl").open("ab") as part:
        part.write(LINE)
    assert removed(directory, _00=len(LINE), _01=len(LINE)) == 1
    assert names(directory) == {"a-1-00.jsonl", "a-1-00.index"}


def test_a_part_that_a_worker_holds_stays(directory: Path) -> None:
    with (directory / "a-1-00.jsonl").open("rb") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        assert removed(directory, _00=len(LINE)) == 0
    assert len(names(directory)) == 4


def test_parts_of_other_hosts_are_no_concern_of_this_one(directory: Path) -> None:
    assert removed(directory, _77=len(LINE)) == 0
