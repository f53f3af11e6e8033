"""Who finds the password of the Redis that this program started."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
import redis
from strangers import as_nobody

from tmdb_scrapy.local.redis_server import RedisServer
from tmdb_scrapy.own_redis import DIRECTORY, PASSWORD, found_password, password_of, running, with_password


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where the user works."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def own(project: Path) -> Iterator[RedisServer]:
    """The project's own, running."""
    server = RedisServer.on_free_port(project / DIRECTORY)  # absolute: a test goes elsewhere
    yield server
    server.stop()


def at(server: RedisServer, host: str = "127.0.0.1", entering: str = "") -> str:
    return f"redis://{entering}{host}:{server.port}/0"


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "[::1]"])
def test_a_url_without_a_password_means_the_projects_own(own: RedisServer, host: str) -> None:
    assert found_password(at(own, host)) == password_of(DIRECTORY)


def test_one_that_the_user_names_is_used_as_he_says(own: RedisServer) -> None:
    for url in (at(own, entering=":mine@"), at(own, entering="default@"), at(own, host="192.0.2.1")):
        assert found_password(url) == ""
        assert with_password(url) == url


def test_another_port_is_another_redis(own: RedisServer, closed_port: int) -> None:
    assert found_password(f"redis://127.0.0.1:{closed_port}/0") == ""


def test_one_that_was_started_elsewhere_is_found_too(
    own: RedisServer, project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By another clone of the project, or by `scrapy redis start --directory`."""
    elsewhere = project / "elsewhere"
    elsewhere.mkdir()
    password = password_of(DIRECTORY)
    with monkeypatch.context() as there:  # `own` is stopped from where it was started
        there.chdir(elsewhere)
        assert found_password(at(own)) == password
        assert with_password(at(own)) == at(own, entering=f":{password}@")


def test_whoever_takes_the_port_of_one_that_ended_is_told_nothing(own: RedisServer) -> None:
    own.stop()
    with pytest.raises(redis.exceptions.ConnectionError):
        found_password(at(own))


def test_one_of_an_earlier_release_is_entered_without_a_password(own: RedisServer) -> None:
    (DIRECTORY / PASSWORD).unlink()
    assert found_password(at(own)) == ""


def test_others_do_not_find_it(own: RedisServer) -> None:
    look = "import sys; print(repr(str(found_password(sys.argv[1]))))"
    assert as_nobody(look, at(own), imports="from tmdb_scrapy.own_redis import found_password") == "''\n"
    assert running(DIRECTORY)
