"""What others on a shared machine cannot read, write or hold, whatever the umask."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from pathlib import Path

import pytest

from tmdb_scrapy import privacy


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


@pytest.fixture(params=[0o000, 0o002, 0o022, 0o077])
def umask(request: pytest.FixtureRequest) -> Iterator[int]:
    before = os.umask(request.param)
    yield int(request.param)
    os.umask(before)


def test_what_steers_is_its_users_alone(umask: int, tmp_path: Path) -> None:
    made = privacy.directory(tmp_path / "data" / "exports")
    assert mode(made) == 0o700
    privacy.write(made / "ledger", b"k")
    with privacy.lock(made / "lock"):
        assert mode(made / "lock") == mode(made / "ledger") == 0o600


def test_what_was_open_is_closed(tmp_path: Path) -> None:
    (tmp_path / "logs").mkdir(mode=0o755)
    for name in ("lock", "ledger"):
        (tmp_path / name).write_text("")
        (tmp_path / name).chmod(0o666)
    privacy.directory(tmp_path / "logs")
    privacy.write(tmp_path / "ledger", b"k")
    privacy.lock(tmp_path / "lock").close()
    assert mode(tmp_path / "logs") == 0o700
    assert mode(tmp_path / "lock") == mode(tmp_path / "ledger") == 0o600


def test_results_are_read_as_the_umask_lets_and_written_beside_by_nobody_else(
    umask: int, tmp_path: Path
) -> None:
    made = privacy.open_directory(tmp_path / "data" / "movies")
    for each in (made, made.parent):
        assert mode(each) == 0o755 & ~umask


def test_a_directory_of_results_that_is_there_stays_as_its_user_has_it(tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    (tmp_path / "data").chmod(0o2775)
    privacy.open_directory(tmp_path / "data")
    assert mode(tmp_path / "data") == 0o2775
