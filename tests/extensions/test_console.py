"""The console's password is its owner's alone, and the same for all workers."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tmdb_scrapy.extensions.console import FILE, console_password


@pytest.fixture(params=[0o000, 0o022, 0o077], ids=oct)
def _umask(request: pytest.FixtureRequest) -> Iterator[None]:
    before = os.umask(request.param)
    yield
    os.umask(before)


@pytest.mark.usefixtures("_umask")
def test_only_its_owner_can_read_it_whatever_the_umask(tmp_path: Path) -> None:
    assert console_password(tmp_path / "data")
    assert stat.S_IMODE((tmp_path / "data" / FILE).stat().st_mode) == 0o600


def test_it_stays_and_is_not_shown(tmp_path: Path) -> None:
    password = console_password(tmp_path)
    assert console_password(tmp_path) == password
    assert password not in repr(password)
    assert [path.name for path in tmp_path.iterdir()] == [FILE]


def test_one_that_others_could_have_read_is_replaced(tmp_path: Path) -> None:
    password = console_password(tmp_path)
    (tmp_path / FILE).chmod(0o644)
    assert console_password(tmp_path) != password


def test_workers_that_start_together_have_the_same(tmp_path: Path) -> None:
    with ThreadPoolExecutor(8) as pool:
        assert len(set(pool.map(console_password, [tmp_path] * 32))) == 1
