"""Which folder of which endpoint an upload goes to."""

from __future__ import annotations

from pathlib import Path

import pytest
from nextcloud_server import NextcloudServer
from uploading import CONTENT, OTHER, refused, send

from tmdb_scrapy.nextcloud import (
    Verification,
)


@pytest.mark.parametrize(
    ("shown", "folder"),
    [
        ("?path=/sub", "sub"),
        ("?dir=%2Fsub", "sub"),
        ("?dir=/a/b%20c/%C3%A4%23%3F%25", "a/b c/ä#?%"),
        ("/download?path=%2Fsub&files=old.jsonl", "sub"),
    ],
)
def test_the_file_goes_into_it(either: NextcloudServer, movies: Path, shown: str, folder: str) -> None:
    (either.folder / folder).mkdir(parents=True)
    assert send(either, movies, link=either.link + shown).verification is Verification.SIZE
    assert either.files() == {f"{folder}/movies.jsonl": CONTENT}


@pytest.mark.parametrize("shown", ["?path=/", "?dir=%2F", "?path=", "?openfile=12&sort=name"])
def test_the_top_is_looked_at_once(either: NextcloudServer, movies: Path, shown: str) -> None:
    send(either, movies, link=either.link + shown)
    assert either.files() == {"movies.jsonl": CONTENT}
    looks = [request for request in either.requests if request.endswith("/")]
    assert len(looks) == (1 if either.rules.has_current_endpoint else 2)


def test_chunks_are_assembled_in_it(server: NextcloudServer, movies: Path) -> None:
    (server.folder / "ä b").mkdir()
    server.rules.request_limit_bytes = 20_000
    send(server, movies, link=f"{server.link}?dir=/%C3%A4%20b")
    assert server.files() == {"ä b/movies.jsonl": CONTENT}
    assert list(server.uploads.iterdir()) == []


@pytest.mark.parametrize("limit_bytes", [1 << 40, 20_000])
def test_the_beginning_of_the_file_is_completed_in_it(
    server: NextcloudServer, movies: Path, limit_bytes: int
) -> None:
    (server.folder / "sub").mkdir()
    (server.folder / "sub" / "movies.jsonl").write_bytes(CONTENT[:500])
    (server.folder / "movies.jsonl").write_bytes(OTHER)
    server.rules.request_limit_bytes = limit_bytes
    send(server, movies, link=f"{server.link}?path=/sub")
    assert server.files() == {"sub/movies.jsonl": CONTENT, "movies.jsonl": OTHER}


def test_a_file_of_it_is_replaced_at_once_and_nothing_at_the_top(
    either: NextcloudServer, movies: Path
) -> None:
    (either.folder / "sub").mkdir()
    (either.folder / "sub" / "movies.jsonl").write_bytes(OTHER)
    (either.folder / "movies.jsonl").write_bytes(OTHER)
    send(either, movies, link=f"{either.link}?path=/sub", replace=True)
    assert either.files() == {"sub/movies.jsonl": CONTENT, "movies.jsonl": OTHER}
    assert either.count("MOVE") == 1


@pytest.mark.parametrize("replace", [True, False])
def test_a_folder_that_does_not_exist_is_said_and_nothing_is_sent(
    either: NextcloudServer, movies: Path, replace: bool
) -> None:
    link = f"{either.link}?path=/sub/deeper"
    assert "no folder /sub/deeper" in refused(either, movies, link=link, replace=replace)
    assert either.count("PUT") == 0


def test_a_file_is_no_folder(either: NextcloudServer, movies: Path) -> None:
    (either.folder / "sub").write_bytes(OTHER)
    assert "no folder /sub" in refused(either, movies, link=f"{either.link}?dir=/sub")
    assert either.count("PUT") == 0


def test_an_upload_only_share_has_none_to_offer(either: NextcloudServer, movies: Path) -> None:
    (either.folder / "sub").mkdir()
    either.rules.upload_only = True
    assert "takes files at its top only" in refused(either, movies, link=f"{either.link}?dir=/sub")
    assert either.count("PUT") == 0
