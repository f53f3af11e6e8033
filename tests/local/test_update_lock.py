"""One update at a time, and nobody else can keep it from its turn."""

from __future__ import annotations

import os
import re
import stat
from pathlib import Path

import pytest

from tmdb_scrapy.local.update_lock import UpdateIsRunning, update_lock


def test_a_second_update_is_told_whose_the_first_is(tmp_path: Path) -> None:
    data_dir = tmp_path / "data"
    for _ in range(2):  # of a lock that was let go, too
        told = pytest.raises(UpdateIsRunning, match=f"pid {os.getpid()} on ")
        with update_lock(data_dir), told, update_lock(data_dir):
            raise AssertionError("two hold it")
    assert re.fullmatch(r"pid .* UTC\n", (data_dir / "update.lock").read_text())


def test_the_lock_is_its_users_alone_also_one_that_was_open(tmp_path: Path) -> None:
    (tmp_path / "update.lock").touch(mode=0o666)
    with update_lock(tmp_path):
        assert stat.S_IMODE((tmp_path / "update.lock").stat().st_mode) == 0o600
