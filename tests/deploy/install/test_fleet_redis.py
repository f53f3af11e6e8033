"""deploy.install.fleet_redis: which Redis the fleet uses, and that it is never open."""

from __future__ import annotations

from pathlib import Path

import pytest

from deploy.fleet import Fleet
from deploy.install.fleet_redis import add_to_env_file, find
from deploy.ssh.failures import FleetError
from deploy.ssh.hosts import Host, parse_host
from tmdb_scrapy.config import Config, read_env_file
from tmdb_scrapy.local.redis_server import RedisServer
from tmdb_scrapy.own_redis import DIRECTORY, password_of


def fleet_of(tmp_path: Path, main: str = "10.0.0.1", **environment: str) -> Fleet:
    config = Config.load(environment, tmp_path / ".env")
    hosts = [Host("10.0.0.1"), Host("10.0.0.2")]
    return Fleet(config, hosts, parse_host(main) if main else None)


def test_a_password_is_written_into_env_once_and_for_its_owner_only(tmp_path: Path) -> None:
    env_file = tmp_path / ".env"
    env_file.write_text("THREADS=3 ; as before")
    env_file.chmod(0o644)
    first = find(fleet_of(tmp_path), {}, env_file, create=True)
    assert first.on_main
    assert (first.host, first.port, first.user) == ("10.0.0.1", 6379, "tmdb")
    assert len(first.password) >= 32
    assert env_file.stat().st_mode & 0o777 == 0o600
    assert env_file.read_text().startswith("THREADS=3 ; as before\nREDIS_URL=redis://tmdb:")
    assert find(fleet_of(tmp_path), {}, env_file, create=True) == first


def test_an_empty_line_of_env_is_filled(tmp_path: Path) -> None:
    env_file = tmp_path / ".env"
    env_file.write_text("A=1\nREDIS_URL= ; filled by make init\nB=2\n")
    add_to_env_file(env_file, "REDIS_URL", "redis://:p@h")
    assert env_file.read_text() == "A=1\nREDIS_URL=redis://:p@h\nB=2\n"
    assert read_env_file(env_file)["REDIS_URL"] == "redis://:p@h"


def test_workers_of_this_machine_are_told_the_password_of_its_own_redis(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """They may be another user's, and work elsewhere: they would not find it."""
    monkeypatch.chdir(tmp_path)
    server = RedisServer.on_free_port(DIRECTORY)
    try:
        config = Config.load({"REDIS_URL": f"redis://127.0.0.1:{server.port}/0"}, tmp_path / ".env")
        redis = find(Fleet(config, [Host("127.0.0.1")], None), {}, tmp_path / ".env")
        assert redis.password == password_of(DIRECTORY) != ""
        assert redis.url_on_hosts == server.url
    finally:
        server.stop()


def test_the_password_shows_in_no_repr(tmp_path: Path) -> None:
    redis = find(fleet_of(tmp_path), {}, tmp_path / ".env", create=True)
    assert str(redis.password) not in repr(redis)


@pytest.mark.parametrize(
    ("url", "on_main"),
    [
        ("redis://:pw@10.0.0.1:6380/0", True),
        ("redis://me:p%40w@10.0.0.1/0", True),
        ("rediss://:pw@10.0.0.1:6380/0", False),
        ("redis://elsewhere.example.org/0", False),
    ],
)
def test_a_redis_url_for_the_main_machine_is_served_there(url: str, on_main: bool, tmp_path: Path) -> None:
    assert find(fleet_of(tmp_path), {"REDIS_URL": url}, tmp_path / ".env").on_main == on_main


def test_an_authority_of_ones_own_goes_to_the_hosts(tmp_path: Path) -> None:
    authority = tmp_path / "ca.pem"
    authority.write_text("-----BEGIN CERTIFICATE-----")
    url = f"rediss://:pw@redis.example.org:6380/0?ssl_ca_certs={authority}&socket_timeout=5"
    redis = find(fleet_of(tmp_path), {"REDIS_URL": url}, tmp_path / ".env")
    assert redis.authority == authority.read_text()
    assert str(redis.url_on_hosts) == (
        "rediss://:pw@redis.example.org:6380/0?ssl_ca_certs=../../redis-ca.pem&socket_timeout=5"
    )
    authority.unlink()
    with pytest.raises(FleetError, match="has to be a PEM file on this machine"):
        find(fleet_of(tmp_path), {"REDIS_URL": url}, tmp_path / ".env")


def test_a_redis_of_an_earlier_main_machine_is_told_as_such(tmp_path: Path) -> None:
    environment = {"REDIS_URL": "redis://tmdb:pw@10.0.0.2:6379/0"}
    redis = find(fleet_of(tmp_path), environment, tmp_path / ".env")
    assert "names 10.0.0.2, REMOTE_HOST is 10.0.0.1 now" in redis.advice
    assert "remove the REDIS_URL line" in redis.advice


@pytest.mark.parametrize(
    ("main", "url", "why"),
    [
        ("10.0.0.1", "redis://10.0.0.1/0", "has no password"),
        ("10.0.0.1", "redis://127.0.0.1:6379/0", "loopback"),
        ("10.0.0.1", "redis://a%20b:pw@10.0.0.1/0", "user name"),
        ("", "redis://localhost/0", "could not reach it"),
        ("10.0.0.1", "", "make init first"),
    ],
)
def test_a_redis_that_hosts_could_not_or_must_not_use_is_refused(
    main: str, url: str, why: str, tmp_path: Path
) -> None:
    environment = {"REDIS_URL": url} if url else {}
    with pytest.raises(FleetError, match=why) as refused:
        find(fleet_of(tmp_path, main, **environment), environment, tmp_path / ".env")
    assert ":pw@" not in str(refused.value)
