"""Starting and stopping a real Redis."""

from __future__ import annotations

import os
import signal
import stat
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import redis
from foreign_redis import ForeignRedis
from ports import quiet_port
from waiting import wait_until

from tmdb_scrapy.local import redis_server
from tmdb_scrapy.local.redis_binary import MULTI_PART, RedisServerError, find_binary, version_of
from tmdb_scrapy.local.redis_server import RedisServer
from tmdb_scrapy.own_redis import PASSWORD as PASSWORD_FILE
from tmdb_scrapy.own_redis import password_of

PASSWORD = 'open "sesame" \\ now'


@pytest.fixture
def server(tmp_path: Path) -> Iterator[RedisServer]:
    """Not started yet."""
    server = RedisServer(directory=tmp_path / "redis of mine", port=quiet_port(), password=PASSWORD)
    yield server
    server.stop()


def client(server: RedisServer, password: str | None = PASSWORD) -> redis.Redis:
    return redis.Redis(port=server.port, password=password)


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_it_starts_once_and_stops_once(server: RedisServer) -> None:
    assert not server.stop()
    assert server.start()
    pid = server.pid
    assert pid is not None
    assert not server.start()
    assert server.pid == pid
    assert server.stop()
    assert server.pid is None
    assert not server.stop()


def test_it_is_configured_to_lose_nothing_and_to_be_nobody_elses(server: RedisServer) -> None:
    server.start()
    with client(server) as connection:
        wanted = {
            "appendonly": "yes",
            "appendfsync": "everysec",
            "maxmemory-policy": "noeviction",
            "bind": "127.0.0.1",
            "protected-mode": "yes",
        }
        for name, value in wanted.items():
            assert connection.config_get(name)[name] == value
    with client(server, password=None) as connection, pytest.raises(redis.AuthenticationError):
        connection.ping()


def test_the_password_is_in_a_file_of_the_owner_only(server: RedisServer) -> None:
    server.start()
    assert mode(server.directory) == 0o700
    assert mode(server.directory / "redis.conf") == 0o600
    assert b"sesame" not in Path(f"/proc/{server.pid}/cmdline").read_bytes()
    assert b"sesame" not in Path(f"/proc/{server.pid}/environ").read_bytes()
    assert "sesame" not in repr(server)


def test_a_directory_that_was_open_is_closed(server: RedisServer) -> None:
    server.directory.mkdir(mode=0o755)
    (server.directory / "redis.conf").write_text("")
    (server.directory / "redis.conf").chmod(0o644)
    server.start()
    assert mode(server.directory) == 0o700
    assert mode(server.directory / "redis.conf") == 0o600


@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGKILL])
def test_the_data_outlives_it(server: RedisServer, how: signal.Signals) -> None:
    server.start()
    with client(server) as connection:
        connection.set("key", "value")
        # What the last second wrote is in the hands of the operating system once Redis has answered.
        assert connection.ping()
    pid = server.pid
    assert pid is not None
    os.kill(pid, how)
    wait_until(lambda: server.pid is None, "it is gone")
    assert server.start()
    with client(server) as connection:
        assert connection.get("key") == b"value"


def test_a_pid_file_that_names_a_stranger_is_not_believed(server: RedisServer) -> None:
    """After a reboot the number is anybody's: here a process that only talks about Redis."""
    server.directory.mkdir()
    command = [sys.executable, "-c", "import sys; sys.stdin.read()", "redis-server", "redis.conf"]
    with subprocess.Popen(command, stdin=subprocess.PIPE) as stranger:
        (server.directory / "redis.pid").write_text(str(stranger.pid))
        try:
            assert server.pid is None
            assert not server.stop()
            assert stranger.poll() is None
        finally:
            (server.directory / "redis.pid").unlink(missing_ok=True)


@pytest.mark.parametrize("text", ["", "none", "999999999"])
def test_a_pid_file_that_names_nobody(server: RedisServer, text: str) -> None:
    server.directory.mkdir()
    (server.directory / "redis.pid").write_text(text)
    assert server.pid is None
    assert not server.stop()
    assert server.start()


def test_a_port_that_is_taken_is_told(server: RedisServer, tmp_path: Path) -> None:
    server.start()
    second = RedisServer(directory=tmp_path / "second", port=server.port, password=PASSWORD)
    try:
        with pytest.raises(RedisServerError, match=str(server.port)):
            second.start()
    finally:
        second.stop()


def test_when_a_port_was_taken_meanwhile_another_is_tried(
    server: RedisServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    server.start()
    free_port, taken = redis_server.free_port, iter([server.port, server.port])
    monkeypatch.setattr(redis_server, "free_port", lambda: next(taken, None) or free_port())
    second = RedisServer.on_free_port(tmp_path / "second")
    try:
        assert next(taken, None) is None
        assert second.port != server.port
        with redis.Redis.from_url(str(second.url)) as connection:
            assert connection.ping()
    finally:
        second.stop()


def test_a_start_that_is_interrupted_leaves_no_server(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupted(server: RedisServer, begin: int) -> None:
        wait_until(lambda: server.pid, "it runs")
        raise KeyboardInterrupt

    monkeypatch.setattr(RedisServer, "_await_answer", interrupted)
    with pytest.raises(KeyboardInterrupt):
        RedisServer.on_free_port(tmp_path / "mine")
    assert RedisServer(tmp_path / "mine").pid is None


def test_another_password_than_the_running_one_is_told_without_showing_it(server: RedisServer) -> None:
    server.start()
    other = RedisServer(directory=server.directory, port=server.port, password="guess-work")
    started = time.monotonic()
    with pytest.raises(RedisServerError, match="another password than REDIS_URL") as caught:
        other.start()
    assert time.monotonic() - started < 10
    assert "guess-work" not in str(caught.value)
    assert "sesame" not in str(caught.value)


@pytest.mark.parametrize("address", ["0.0.0.0", "10.0.0.1", "::", "*", "-::*", "example.org"])
def test_it_is_never_open_without_a_password(tmp_path: Path, address: str) -> None:
    server = RedisServer(directory=tmp_path / "open", bind=("127.0.0.1", address))
    with pytest.raises(RedisServerError, match="password"):
        server.start()
    assert server.pid is None
    assert not server.directory.exists()


def test_it_has_a_password_of_its_own_from_its_first_start(tmp_path: Path) -> None:
    server = RedisServer.on_free_port(tmp_path / "own")
    try:
        password = password_of(server.directory)
        assert len(password) >= 32
        assert mode(server.directory / PASSWORD_FILE) == 0o600
        assert password.encode() not in (server.directory / "redis.conf").read_bytes()
        assert password not in repr(server)
        with client(server, None) as stranger, pytest.raises(redis.AuthenticationError):
            stranger.ping()
        with client(server, password) as owner:
            assert owner.ping()
    finally:
        server.stop()
    assert server.start()
    assert password_of(server.directory) == password
    server.stop()


@pytest.mark.parametrize(
    "command",
    [
        ("CONFIG", "SET", "dir", "/tmp"),
        ("CONFIG", "SET", "dbfilename", "authorized_keys"),
        ("SAVE",),
        ("BGSAVE",),
        ("BGREWRITEAOF",),
        ("MODULE", "LOAD", "/tmp/x.so"),
        ("DEBUG", "SLEEP", "0"),
        ("REPLICAOF", "127.0.0.1", "1"),
        ("SLAVEOF", "127.0.0.1", "1"),
        ("MIGRATE", "127.0.0.1", "1", "key", "0", "1"),
        ("SHUTDOWN", "NOSAVE"),
        ("ACL", "SETUSER", "eve", "on", "nopass", "+@all"),
        ("MONITOR",),
    ],
)
def test_not_even_its_own_clients_reach_beyond_its_data(
    server: RedisServer, command: tuple[str, ...]
) -> None:
    server.start()
    with client(server) as connection:
        # Redis 7 has switched some off for everybody, and says so in other words.
        with pytest.raises(redis.ResponseError, match=r"no permissions|not allowed"):
            connection.execute_command(*command)
        with pytest.raises(redis.ResponseError):
            connection.eval(f"return redis.call({','.join(map(repr, command))})", 0)


def test_what_it_writes_is_its_owners_alone_whatever_the_umask(server: RedisServer) -> None:
    before = os.umask(0)
    try:
        server.start()
    finally:
        os.umask(before)
    with client(server) as connection:
        connection.set("key", "value")
    files = [each for each in server.directory.rglob("*") if each.is_file()]
    assert {"redis.log", "redis.pid", "redis.conf", PASSWORD_FILE} <= {each.name for each in files}
    assert [each.name for each in files if mode(each) & 0o077] == []


def test_one_whose_directory_was_changed_is_stopped(tmp_path: Path) -> None:
    """As a client of an earlier release could, and a stranger did."""
    protects_it = version_of(find_binary()) >= MULTI_PART
    options = ("enable-protected-configs yes",) if protects_it else ()
    server = ForeignRedis(tmp_path / "own", quiet_port(), options=options)
    server.start()
    pid = server.pid
    assert pid is not None
    with client(server, None) as connection:
        connection.config_set("dir", str(tmp_path))
    assert Path(f"/proc/{pid}/cwd").readlink() == tmp_path
    assert server.stop()
    wait_until(lambda: not Path(f"/proc/{pid}").exists(), "it is gone")


def test_the_log_of_an_earlier_start_explains_nothing(server: RedisServer) -> None:
    server.directory.mkdir()
    (server.directory / "redis.log").write_text("1:M # Failed listening on port 1 (TCP), aborting.\n")
    assert server.start()


def test_it_has_started_when_its_data_are_loaded(tmp_path: Path) -> None:
    """Until then it refuses every command."""
    slowly = ("key-load-delay 200000", "rdbcompression no")  # while it loads it answers, every 2 MB
    server = ForeignRedis(tmp_path / "redis", quiet_port(), options=slowly)
    try:
        server.start()
        with redis.Redis(port=server.port) as connection:
            connection.mset({str(number): bytes(3 << 20) for number in range(5)})
            connection.bgrewriteaof()
            wait_until(
                lambda: not connection.info("persistence")["aof_rewrite_in_progress"], "it is rewritten"
            )
        server.stop()
        server.start()
        assert (server.directory / "redis.log").read_text().count("Ready to accept connections") == 2
    finally:
        server.stop()
