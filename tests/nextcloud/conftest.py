from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from nextcloud_server import NextcloudServer
from uploading import CONTENT

from tmdb_scrapy.nextcloud import chunks


@pytest.fixture(autouse=True)
def small_chunks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(chunks, "CHUNK_BYTES", 10_000)


@pytest.fixture
def movies(tmp_path: Path) -> Path:
    path = tmp_path / "movies.jsonl"
    path.write_bytes(CONTENT)
    return path


@pytest.fixture
def server(tmp_path: Path) -> Iterator[NextcloudServer]:
    """A server for each test: what a client that broke off has left on the way ends with it."""
    root = tmp_path / "nextcloud"
    root.mkdir()
    server = NextcloudServer(root)
    yield server
    server.stop()


@pytest.fixture(params=["current", "legacy"])
def either(request: pytest.FixtureRequest, server: NextcloudServer) -> NextcloudServer:
    """A server that has only one of the endpoints."""
    server.rules.has_current_endpoint = request.param == "current"
    server.rules.has_legacy_endpoint = request.param == "legacy"
    return server
