"""A plain HTTP client for the sandbox: one connection a request, nothing decoded, nothing retried."""

from __future__ import annotations

import gzip
import http.client
import json
import ssl
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

import pytest

from tmdb_scrapy.sandbox.server.process import SandboxProcess

KEY = "0123456789abcdef" * 2


@dataclass
class Got:
    status: int
    headers: dict[str, str]
    body: bytes

    def json(self) -> Any:
        return json.loads(self.body)


Fetch = Callable[..., Got]


def fetch(
    url: str,
    *,
    key: str | None = KEY,
    headers: dict[str, str] | None = None,
    source: str | None = None,
    context: ssl.SSLContext | None = None,
) -> Got:
    """GET with the key; the body is gunzipped when it came gzipped."""
    where = urlsplit(url)
    query = "&".join(part for part in (where.query, f"api_key={key}" if key else "") if part)
    address = (source, 0) if source else None
    connection: http.client.HTTPConnection
    if where.scheme == "https":
        connection = http.client.HTTPSConnection(str(where.hostname), where.port, timeout=10, context=context)
    else:
        connection = http.client.HTTPConnection(
            str(where.hostname), where.port, timeout=10, source_address=address
        )
    try:
        connection.request("GET", f"{where.path}?{query}", headers=headers or {})
        response = connection.getresponse()
        body = response.read()
    finally:
        connection.close()
    got = {name.lower(): value for name, value in response.getheaders()}
    return Got(response.status, got, gzip.decompress(body) if "content-encoding" in got else body)


@pytest.fixture(scope="session")
def get() -> Fetch:
    return fetch


@pytest.fixture(scope="module")
def sandbox() -> Iterator[SandboxProcess]:
    """One sandbox for a module; a test that changes settings uses `changed`."""
    with SandboxProcess(["--movies", "400", "--people", "60"]) as process:
        yield process


@pytest.fixture
def changed(sandbox: SandboxProcess) -> Iterator[SandboxProcess]:
    """The module's sandbox, with its settings put back afterwards."""
    before = sandbox.set()
    yield sandbox
    sandbox.set(**before)
