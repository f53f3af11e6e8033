from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from nextcloud_server import NextcloudServer


@pytest.fixture
def server(tmp_path: Path) -> Iterator[NextcloudServer]:
    """A server for each test: what a client that broke off has left on the way ends with it."""
    root = tmp_path / "nextcloud"
    root.mkdir()
    server = NextcloudServer(root)
    yield server
    server.stop()
