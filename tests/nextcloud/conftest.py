from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))
from nextcloud_server import NextcloudServer


@pytest.fixture(scope="session")
def one_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[NextcloudServer]:
    server = NextcloudServer(tmp_path_factory.mktemp("nextcloud"))
    yield server
    server.stop()


@pytest.fixture
def server(one_server: NextcloudServer) -> NextcloudServer:
    one_server.reset()
    return one_server
