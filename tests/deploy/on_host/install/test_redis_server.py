"""deploy.on_host.install.redis_server: where the fleet's Redis listens, against a real one."""

from __future__ import annotations

import socket
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
import redis

from deploy.on_host import processes, workspace
from deploy.on_host.install import listening, redis_server
from deploy.on_host.workspace import Problem
from tmdb_scrapy.local.redis_binary import find_binary

# All of 127.0.0.0/8 is this machine's: three addresses to tell ways of arriving apart.
FIRST, SECOND, GONE = "127.0.0.71", "127.0.0.72", "192.0.2.1"
PASSWORD = "of-the-fleet"


@pytest.fixture
def path(tmp_path: Path, started: list[subprocess.Popen[bytes]], monkeypatch: pytest.MonkeyPatch) -> Path:
    """A working directory with a project that finds redis-server."""
    made = workspace.create(str(tmp_path / "work"))
    (made / "releases" / "v1").mkdir(parents=True)
    (made / "environments" / "e1" / "bin").mkdir(parents=True)
    (made / "environments" / "e1" / "bin" / "python").touch()
    (made / "releases" / "v1" / ".venv").symlink_to("../../environments/e1")
    (made / "project").symlink_to("releases/v1")
    monkeypatch.setattr(redis_server, "_executable", lambda *_: str(find_binary()))
    return made


@pytest.fixture
def port() -> Iterator[int]:
    """Held, but not listened on, so that a Redis may listen there and nobody else is given it."""
    with socket.socket() as held:
        held.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        held.bind(("", 0))
        yield held.getsockname()[1]


def start(
    path: Path, port: int, host: str, address: str, *, password: str = PASSWORD, away: bool = False
) -> str:
    return redis_server.start(str(path), host, address, port, "tmdb", password, ["movies", "tv"], away)


def listens(address: str, port: int) -> bool:
    try:
        socket.create_connection((address, port), 1).close()
    except OSError:
        return False
    return True


def pid(path: Path) -> int:
    (record,) = processes.recorded(path, processes.REDIS)
    return record["pid"]


def as_if_not_loopback(monkeypatch: pytest.MonkeyPatch) -> None:
    """Only 127.0.0.1 counts as loopback, so that the others stand for a network's addresses."""
    monkeypatch.setattr(listening, "is_loopback", lambda address: address == "127.0.0.1")


def test_a_later_init_by_another_way_leaves_the_running_redis_alone(
    path: Path, port: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    as_if_not_loopback(monkeypatch)
    assert start(path, port, FIRST, FIRST) == "started"
    before = pid(path)
    assert start(path, port, FIRST, SECOND) == f"running (on {SECOND} from its next start on)"
    assert pid(path) == before
    redis_server.stop(str(path))
    assert start(path, port, FIRST, FIRST) == "started"
    assert listens(FIRST, port)
    assert listens(SECOND, port)
    assert start(path, port, FIRST, SECOND) == "running"


def test_a_name_that_means_another_address_now_is_served_beside_the_old_one(
    path: Path, port: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    as_if_not_loopback(monkeypatch)
    start(path, port, FIRST, FIRST)
    assert start(path, port, SECOND, SECOND) == "restarted"
    assert listens(FIRST, port)
    assert listens(SECOND, port)


def test_the_fleets_user_may_touch_the_keys_of_all_kinds_and_no_others(path: Path, port: int) -> None:
    start(path, port, FIRST, FIRST)
    with redis.Redis(FIRST, port, username="tmdb", password=PASSWORD) as client:
        for kind in ("movies", "tv"):
            assert client.set(f"{{{kind}}}:ledger", b"q")
        assert client.config_get("maxmemory-policy") == {"maxmemory-policy": "noeviction"}
        for command in (
            ("SET", "{others}:ledger", "q"),
            ("SET", "movies:ledger", "q"),
            ("CONFIG", "SET", "dir", "/tmp"),
            ("FLUSHALL",),
            ("ACL", "LIST"),
        ):
            with pytest.raises(redis.exceptions.NoPermissionError):
                client.execute_command(*command)


def test_no_user_reaches_beyond_the_data(path: Path, port: int) -> None:
    """Nor does `default`, whom a REDIS_URL of the user's own may name."""
    redis_server.start(str(path), FIRST, FIRST, port, "default", PASSWORD, ["movies"], False)
    with redis.Redis(FIRST, port, password=PASSWORD) as client:
        assert client.set("{movies}:ledger", b"q")
        for command in (("CONFIG", "SET", "dir", "/tmp"), ("SAVE",), ("REPLICAOF", "127.0.0.1", "1")):
            with pytest.raises(redis.exceptions.NoPermissionError):
                client.execute_command(*command)


def test_another_password_restarts_it(path: Path, port: int) -> None:
    start(path, port, FIRST, FIRST)
    assert start(path, port, FIRST, FIRST, password="another") == "restarted"


def test_an_address_that_the_machine_has_no_more_is_left_out(path: Path, port: int) -> None:
    (path / "redis").mkdir()
    (path / "redis" / "redis.conf").write_text(f"bind 127.0.0.1 {GONE} {SECOND}\n")
    assert start(path, port, FIRST, FIRST) == "started"
    assert (path / "redis" / "redis.conf").read_text().startswith(f"bind 127.0.0.1 {SECOND} {FIRST}\n")


def test_loopback_alone_is_refused_where_other_hosts_need_redis(path: Path, port: int) -> None:
    with pytest.raises(Problem, match=r"means 127\.0\.0\.71 on this machine") as refused:
        start(path, port, FIRST, FIRST, away=True)
    assert "REMOTE_HOST" in refused.value.advice
    assert processes.recorded(path) == []
