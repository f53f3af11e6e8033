"""Files that a proxy in front of the server finds too large for one request."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
from nextcloud_server import NextcloudServer
from uploading import CONTENT, OTHER, PAUSES_S, refused, send

from tmdb_scrapy.network import Proxies
from tmdb_scrapy.nextcloud import (
    LocalFile,
    ShareLink,
    Verification,
    open_share,
    upload,
)


@pytest.fixture(autouse=True)
def behind_a_proxy(server: NextcloudServer) -> None:
    server.rules.request_limit_bytes = 20_000


def test_a_file_too_large_for_a_proxy_goes_in_chunks(server: NextcloudServer, movies: Path) -> None:
    assert send(server, movies).verification is Verification.SIZE
    assert server.files() == {"movies.jsonl": CONTENT}
    assert list(server.uploads.iterdir()) == []


def test_chunks_replace_too(server: NextcloudServer, movies: Path) -> None:
    (server.folder / "movies.jsonl").write_bytes(OTHER)
    send(server, movies, replace=True)
    assert server.files() == {"movies.jsonl": CONTENT}


def test_an_upload_only_share_takes_chunks(server: NextcloudServer, movies: Path) -> None:
    server.rules.upload_only = True
    assert send(server, movies).verification is Verification.IMPOSSIBLE
    assert server.files() == {"movies.jsonl": CONTENT}


def test_an_upload_only_share_is_not_assembled_twice(server: NextcloudServer, movies: Path) -> None:
    server.rules.upload_only = True
    server.rules.failing_moves = 1
    assert "look at it before uploading again" in refused(server, movies)
    assert server.files() == {"movies.jsonl": CONTENT}


def test_an_assembly_whose_answer_is_lost_is_noticed(server: NextcloudServer, movies: Path) -> None:
    server.rules.failing_moves = 1
    send(server, movies)
    assert server.files() == {"movies.jsonl": CONTENT}
    assert server.count("MOVE") == 1


def test_chunks_that_are_too_large_as_well_are_a_failure(server: NextcloudServer, movies: Path) -> None:
    server.rules.request_limit_bytes = 5_000
    assert "413" in refused(server, movies)
    assert list(server.uploads.iterdir()) == []


@pytest.mark.parametrize("missing", ["has_chunked_upload", "has_current_endpoint"])
def test_a_server_without_chunked_upload_is_a_failure_that_says_so(
    server: NextcloudServer, movies: Path, missing: str
) -> None:
    setattr(server.rules, missing, False)
    message = refused(server, movies)
    assert "limits the size of a request" in message
    assert "no chunked upload" in message
    assert server.files() == {}


def test_chunks_of_an_upload_that_is_interrupted_are_taken_away(
    server: NextcloudServer, movies: Path
) -> None:
    async def run() -> None:
        async with open_share(ShareLink.parse(server.link), "", Proxies(), PAUSES_S) as share:
            with LocalFile(movies) as file:

                def interrupt_after_two_chunks(sent: int) -> None:
                    if server.count("MKCOL") and sent > 20_000:
                        task.cancel()

                task = asyncio.create_task(
                    upload(share, file, "movies.jsonl", replace=False, on_sent=interrupt_after_two_chunks)
                )
                with pytest.raises(asyncio.CancelledError):
                    await task

    asyncio.run(run())
    assert any("/uploads/" in request and request.startswith("PUT") for request in server.requests)
    assert list(server.uploads.iterdir()) == []
    assert server.files() == {}
