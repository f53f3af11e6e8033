"""Upload-only shares."""

from __future__ import annotations

from pathlib import Path

import pytest
from nextcloud_server import NextcloudServer
from uploading import CONTENT, SHORT_BODY, refused, send

from tmdb_scrapy.nextcloud import (
    Verification,
)


@pytest.fixture(autouse=True)
def upload_only(server: NextcloudServer) -> None:
    server.rules.upload_only = True


def test_the_receipt_says_that_nothing_could_be_verified(either: NextcloudServer, movies: Path) -> None:
    assert send(either, movies).verification is Verification.IMPOSSIBLE
    assert either.files() == {"movies.jsonl": CONTENT}


def test_a_checksum_of_the_server_verifies_it_all_the_same(server: NextcloudServer, movies: Path) -> None:
    server.rules.hashes_on_request = True
    assert send(server, movies).verification is Verification.CHECKSUM


def test_the_right_password_opens_the_share(either: NextcloudServer, movies: Path) -> None:
    either.rules.password = "secret"
    assert "NEXTCLOUD_PASSWORD" in refused(either, movies, password="wrong")
    assert either.unauthorized == 1
    send(either, movies, password="secret")
    assert either.files() == {"movies.jsonl": CONTENT}


def test_a_nickname_is_given_when_it_is_demanded(server: NextcloudServer, movies: Path) -> None:
    server.rules.needs_nickname = True
    send(server, movies)
    assert server.files() == {"movies.jsonl": CONTENT}


def test_a_web_server_that_answers_405_does_not_hide_the_legacy_endpoint(
    server: NextcloudServer, movies: Path
) -> None:
    server.rules.has_current_endpoint = False
    server.rules.absent_status = "405 Method Not Allowed"
    send(server, movies)
    assert server.files() == {"movies.jsonl": CONTENT}


@pytest.mark.parametrize("fault", ["truncated_puts", "broken_puts"])
def test_nothing_is_sent_twice(either: NextcloudServer, movies: Path, fault: str) -> None:
    setattr(either.rules, fault, 1)
    assert "look at it before uploading again" in refused(either, movies)
    assert either.count("PUT") == 1
    assert len(either.files()) == 1


def test_a_refusal_of_half_a_file_says_that_it_may_be_there(either: NextcloudServer, movies: Path) -> None:
    either.rules.truncated_puts, either.rules.truncation = 1, SHORT_BODY
    assert "look at it before uploading again" in refused(either, movies)
    assert either.count("PUT") == 1


def test_an_empty_file_is_not_sent_twice_either(server: NextcloudServer, tmp_path: Path) -> None:
    (tmp_path / "empty").touch()
    server.rules.broken_puts = 1
    refused(server, tmp_path / "empty")
    assert server.count("PUT") == 1
