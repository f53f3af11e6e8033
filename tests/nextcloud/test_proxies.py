"""Uploads where a proxy is the only way to the share."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote, urlsplit

import pytest
from http_proxy import HttpProxy
from nextcloud_server import TOKEN, NextcloudServer

from tmdb_scrapy.network import Proxies
from tmdb_scrapy.nextcloud import LocalFile, ShareLink, UploadError, chunks, open_share, upload
from tmdb_scrapy.values import Secret

MOVIES = b'{"id":1}\n' * 5000
HOST = "cloud.example"
"""Nobody but the proxy can reach it."""


@pytest.fixture
def proxy() -> Iterator[HttpProxy]:
    with HttpProxy() as made:
        yield made


def send(server: NextcloudServer, folder: Path, proxies: Proxies, host: str = HOST) -> None:
    parts = urlsplit(server.link)
    link = ShareLink.parse(parts._replace(netloc=f"{host}:{parts.port}").geturl())
    path = folder / "movies.jsonl"
    path.write_bytes(MOVIES)

    async def run() -> None:
        async with open_share(link, "", proxies, [0.0]) as share:
            with LocalFile(path) as file:
                await upload(share, file, "movies.jsonl", replace=False, on_sent=lambda sent: None)

    asyncio.run(run())


@pytest.mark.parametrize("key", ["http", "for_all"])
def test_every_request_goes_through_it(
    server: NextcloudServer, tmp_path: Path, proxy: HttpProxy, key: str
) -> None:
    send(server, tmp_path, Proxies(**{key: Secret(proxy.url)}))
    assert server.files() == {"movies.jsonl": MOVIES}
    assert len(proxy.requests) == len(server.requests)
    port = urlsplit(server.link).port
    assert f"PUT http://{HOST}:{port}/cloud/public.php/dav/files/{TOKEN}/movies.jsonl" in proxy.requests


def test_chunks_go_through_it(
    server: NextcloudServer, tmp_path: Path, proxy: HttpProxy, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(chunks, "CHUNK_BYTES", 10_000)
    server.rules.request_limit_bytes = 20_000
    send(server, tmp_path, Proxies(http=Secret(proxy.url)))
    assert server.files() == {"movies.jsonl": MOVIES}
    assert len(proxy.requests) == len(server.requests)


def test_one_for_https_is_not_used_for_http(
    server: NextcloudServer, tmp_path: Path, proxy: HttpProxy
) -> None:
    with pytest.raises(UploadError, match="no such host"):
        send(server, tmp_path, Proxies(https=Secret(proxy.url)))
    assert proxy.requests == []


@pytest.mark.parametrize(
    "host", ["127.0.0.1", "127.1", "0.0.0.0", "[::ffff:127.0.0.1]", "localhost", "LocalHost"]
)
def test_loopback_is_reached_without_it(
    server: NextcloudServer, tmp_path: Path, proxy: HttpProxy, host: str
) -> None:
    url = Secret(proxy.url)
    send(server, tmp_path, Proxies(url, url, url, exempt="other.example"), host)
    assert server.files() == {"movies.jsonl": MOVIES}
    assert proxy.requests == []


@pytest.mark.parametrize("exempt", [HOST, ".example", "other.example, cloud.example", "*"])
def test_what_no_proxy_names_is_reached_without_it(
    server: NextcloudServer, tmp_path: Path, proxy: HttpProxy, exempt: str
) -> None:
    with pytest.raises(UploadError, match="no such host"):
        send(server, tmp_path, Proxies(for_all=Secret(proxy.url), exempt=exempt))
    assert proxy.requests == []


@pytest.mark.parametrize(("user", "password"), [("somebody", "s3cret/@:%"), ("ä", "ö")])
def test_its_password_may_have_any_characters(
    server: NextcloudServer, tmp_path: Path, user: str, password: str
) -> None:
    with HttpProxy(user, password) as proxy:
        url = f"http://{quote(user)}:{quote(password, safe='')}@{proxy.address}"
        send(server, tmp_path, Proxies(http=Secret(url)))
    assert server.files() == {"movies.jsonl": MOVIES}


@pytest.mark.parametrize("scheme", ["http", "https"])
def test_one_that_asks_for_another_password_is_said_and_asked_once(tmp_path: Path, scheme: str) -> None:
    async def run(proxy: HttpProxy) -> None:
        url = Secret(f"http://somebody:wr0ng@{proxy.address}")
        link = ShareLink.parse(f"{scheme}://{HOST}/s/{TOKEN}")
        async with open_share(link, "", Proxies(for_all=url), [0.0]):
            pass

    with HttpProxy("somebody", "s3cret") as proxy:
        with pytest.raises(UploadError, match="the proxy asks for a user and password") as caught:
            asyncio.run(run(proxy))
        assert len(proxy.requests) == 1
    for shown in (str(caught.value), repr(caught.value)):
        assert not [secret for secret in ("wr0ng", "somebody", TOKEN) if secret in shown]
