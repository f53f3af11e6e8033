"""What a connection can do to an upload, by a server that does just that and nothing else."""

from __future__ import annotations

import asyncio
import logging
import socket
import ssl
import sys
import traceback
from collections.abc import Iterator
from contextlib import AsyncExitStack
from pathlib import Path

import pytest
import trustme
from environments import bare_environment
from nextcloud_server import TOKEN, NextcloudServer
from ports import nobody_listens
from raw_server import UPLOAD_ONLY, Handler, response, serving
from uploading import refused
from waiting import until

from tmdb_scrapy.network import Proxies
from tmdb_scrapy.nextcloud import (
    LocalFile,
    Share,
    ShareLink,
    UploadError,
    file_drop,
    open_share,
    upload,
    wire,
)
from tmdb_scrapy.nextcloud.share import Endpoint
from tmdb_scrapy.nextcloud.wire import Body, BrokenConnectionError, DavClient, NoConnectionError
from tmdb_scrapy.values import Secret

PASSWORD = "op3n-sesame"
NO_PROXIES = Proxies()
BLOCK = b"x" * (1 << 18)
BODY_BYTES = 64 << 20
"""More than all buffers of a connection on one machine hold."""


def link(port: int, scheme: str = "http") -> ShareLink:
    return ShareLink.parse(f"{scheme}://127.0.0.1:{port}/s/{TOKEN}")


async def put(port: int, scheme: str = "http", length: int = BODY_BYTES) -> wire.DavResponse:
    body = Body((BLOCK for _ in range(length // len(BLOCK))), length)
    async with DavClient(link(port, scheme), PASSWORD, NO_PROXIES) as client:
        url = f"{client.link.base_url}/public.php/dav/files/{TOKEN}/movies.jsonl"
        return await client.request("PUT", url, {"Authorization": f"Basic {PASSWORD}"}, body)


def assert_holds_no_secret(error: BaseException) -> None:
    for shown in (str(error), repr(error), "".join(traceback.format_exception(error))):
        assert TOKEN not in shown
        assert PASSWORD not in shown
        assert "public.php" not in shown


async def drop_at_once(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    writer.transport.abort()


async def drop_within_the_file(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await reader.readexactly(1 << 20)
    writer.transport.abort()


async def drop_within_the_response(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    writer.write(response("201 Created", b"x" * 99)[:-9])
    await writer.drain()
    writer.transport.abort()


async def speak_something_else(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    writer.write(b"SSH-2.0-OpenSSH_10.3 " + TOKEN.encode() + b"\r\n\r\n")
    await writer.drain()


async def fall_silent(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while await reader.read(1 << 20):
        pass


@pytest.mark.parametrize(
    "handler",
    [drop_at_once, drop_within_the_file, drop_within_the_response, speak_something_else, fall_silent],
)
def test_a_connection_that_breaks_leaves_open_what_has_arrived_and_tells_no_secret(
    handler: Handler, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(wire, "STORE_S", 0.1)
    monkeypatch.setattr(wire, "RESPONSE_S", 0.1 if handler is fall_silent else 60)

    async def run() -> None:
        async with serving(handler) as port:
            await put(port, length=BODY_BYTES)

    with caplog.at_level(logging.DEBUG), pytest.raises(BrokenConnectionError) as caught:
        asyncio.run(run())
    assert not isinstance(caught.value, NoConnectionError)
    assert "the connection broke" in str(caught.value)
    assert_holds_no_secret(caught.value)
    assert TOKEN not in caplog.text
    assert "never retrieved" not in caplog.text


def test_nothing_has_arrived_where_no_connection_was_made() -> None:
    with nobody_listens() as port, pytest.raises(NoConnectionError) as caught:
        asyncio.run(put(port))
    assert f"127.0.0.1:{port}" in str(caught.value)
    assert_holds_no_secret(caught.value)


def test_nothing_has_arrived_where_a_connection_takes_too_long(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(wire, "CONNECT_S", 0.1)

    async def run() -> None:
        # It takes the connection and says nothing of its certificate.
        async with serving(fall_silent) as port:
            await put(port, "https")

    with pytest.raises(NoConnectionError) as caught:
        asyncio.run(run())
    assert "no response within 0 s" in str(caught.value)
    assert_holds_no_secret(caught.value)


@pytest.mark.parametrize("scheme", ["http", "https"])
def test_a_proxy_that_is_down_is_suspected_and_its_password_not_told(scheme: str) -> None:
    async def run(proxy_port: int) -> None:
        proxies = Proxies(for_all=Secret(f"http://somebody:s3cret@127.0.0.1:{proxy_port}"))
        share = ShareLink.parse(f"{scheme}://cloud.example/s/{TOKEN}")
        async with open_share(share, PASSWORD, proxies, [0.0]):
            pass

    with nobody_listens() as port, pytest.raises(NoConnectionError, match="look at HTTPS_PROXY") as caught:
        asyncio.run(run(port))
    assert "cloud.example" in str(caught.value)
    assert "s3cret" not in str(caught.value)
    assert_holds_no_secret(caught.value)


@pytest.mark.parametrize("certified", ["another.example", "127.0.0.1"])
def test_a_certificate_that_is_not_trusted_is_said_and_not_tried_again(certified: str) -> None:
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    trustme.CA().issue_cert(certified).configure_cert(tls)

    async def run() -> None:
        async with serving(fall_silent, tls=tls) as port:
            await put(port, "https")

    with pytest.raises(UploadError, match="its TLS certificate is not trusted") as caught:
        asyncio.run(run())
    assert not isinstance(caught.value, BrokenConnectionError)
    assert_holds_no_secret(caught.value)


@pytest.mark.parametrize(
    ("base_url", "expected"),
    [("https://no-such-host.invalid", "no such host"), ("https://no such host", "Check NEXTCLOUD_UPLOAD")],
)
def test_a_host_that_is_none_is_said(base_url: str, expected: str) -> None:
    async def run() -> None:
        async with open_share(ShareLink(base_url, TOKEN), PASSWORD, NO_PROXIES):
            pass

    with pytest.raises(UploadError, match=expected) as caught:
        asyncio.run(run())
    assert_holds_no_secret(caught.value)


@pytest.mark.parametrize("scheme", ["http", "https"])
def test_a_redirect_is_not_followed(scheme: str) -> None:
    heads = 0

    async def redirect(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal heads
        heads += 1
        writer.write(response("307 Temporary Redirect", b"", f"Location: {scheme}://127.0.0.1:9/s/{TOKEN}"))
        await writer.drain()

    async def run() -> None:
        async with serving(redirect) as port, open_share(link(port), PASSWORD, NO_PROXIES):
            pass

    with pytest.raises(UploadError, match="redirects") as caught:
        asyncio.run(run())
    assert_holds_no_secret(caught.value)
    assert heads == 1


def test_a_header_that_is_not_ascii_does_not_spoil_the_others() -> None:
    async def respond(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(response("201 Created", b"", 'ETag: "ä"', "x-hash-sha256: AB"))
        await writer.drain()

    async def run() -> wire.DavResponse:
        async with serving(respond) as port:
            return await put(port, length=0)

    stored = asyncio.run(run())
    assert (stored.headers.get("ETag"), stored.headers.get("X-Hash-SHA256")) == (None, "AB")
    assert "201" in repr(stored)


def test_each_request_has_a_connection_of_its_own() -> None:
    """One that the server has just closed would look like an upload that broke half-way."""
    connections = 0

    async def keep_open(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal connections
        connections += 1
        writer.write(b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n")
        await reader.read()

    async def run() -> None:
        async with serving(keep_open) as port, DavClient(link(port), PASSWORD, NO_PROXIES) as client:
            for _ in range(2):
                await client.request("PROPFIND", client.link.base_url, {})

    asyncio.run(run())
    assert connections == 2


def test_a_response_that_comes_before_the_file_is_taken_counts() -> None:
    async def refuse(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(response("413 Content Too Large"))
        await writer.drain()
        await reader.read(1 << 20)

    async def run() -> int:
        async with serving(refuse) as port:
            return (await put(port)).status

    assert asyncio.run(run()) == 413


def test_a_server_that_takes_a_file_slowly_has_the_time_it_needs(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(wire, "RESPONSE_S", 2.0)
    monkeypatch.setattr(wire, "STALL_S", 2.0)

    async def take_slowly(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        for _ in range(8):
            await asyncio.sleep(0.4)
            await reader.readexactly(BODY_BYTES // 8)
        writer.write(response("201 Created"))
        await writer.drain()

    async def run() -> int:
        async with serving(take_slowly) as port:
            return (await put(port)).status

    assert asyncio.run(run()) == 201


def test_a_server_that_takes_no_more_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(wire, "STALL_S", 0.3)

    async def take_a_part(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readexactly(BODY_BYTES // 8)
        await asyncio.Event().wait()

    async def run() -> None:
        async with serving(take_a_part) as port:
            await put(port)

    with pytest.raises(BrokenConnectionError, match="the server fell silent"):
        asyncio.run(run())


def test_a_server_that_has_all_of_a_file_may_think_longer(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(wire, "RESPONSE_S", 0.3)
    monkeypatch.setattr(wire, "STALL_S", 0.3)

    async def think(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readexactly(len(BLOCK))
        await asyncio.sleep(0.7)
        writer.write(response("201 Created"))
        await writer.drain()

    async def run() -> int:
        async with serving(think) as port:
            return (await put(port, length=len(BLOCK))).status

    assert asyncio.run(run()) == 201


def test_an_upload_that_is_cancelled_closes_its_connection() -> None:
    taken, ended = asyncio.Event(), asyncio.Event()

    async def take_until_the_end(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readexactly(1 << 20)
        taken.set()
        await asyncio.sleep(0)
        try:
            while await reader.read(1 << 20):
                pass
        except ConnectionError:
            pass
        ended.set()

    async def run() -> None:
        endless = Body(iter(lambda: BLOCK, b""), 1 << 50)
        async with serving(take_until_the_end) as port, DavClient(link(port), PASSWORD, NO_PROXIES) as client:
            task = asyncio.create_task(client.request("PUT", f"{client.link.base_url}/x", {}, endless))
            await taken.wait()
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task
            # While the client is still open: nothing but the cancelling can have closed the connection.
            await until(ended.is_set, "the server sees the end of the connection", 10)

    asyncio.run(run())


def test_a_file_for_an_upload_only_share_is_sent_again_only_if_nothing_has_arrived(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "movies.jsonl").write_bytes(b'{"id":1}\n')
    puts = 0

    async def look(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(response("405 Method Not Allowed", UPLOAD_ONLY))
        await writer.drain()

    async def store(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal puts
        puts += 1
        if puts == 2:
            writer.transport.abort()
            return
        writer.write(response("201 Created"))
        await writer.drain()

    async def send(share: Share) -> None:
        with LocalFile(tmp_path / "movies.jsonl") as file:
            await upload(share, file, "movies.jsonl", replace=False, on_sent=lambda sent: None)

    async def run() -> None:
        async with serving(look) as port:
            opening = open_share(link(port), PASSWORD, NO_PROXIES, [0.0])
            share = await opening.__aenter__()
        pauses: list[float] = []

        async def come_back(pause_s: float) -> None:
            pauses.append(pause_s)
            await back.enter_async_context(serving(store, port))

        async with AsyncExitStack() as back:
            with monkeypatch.context() as patched:
                patched.setattr(file_drop.asyncio, "sleep", come_back)
                await send(share)
            assert (len(pauses), puts) == (1, 1)
            with pytest.raises(UploadError, match="look at it before uploading again"):
                await send(share)
            assert puts == 2
        await opening.__aexit__(None, None, None)

    asyncio.run(run())


def test_neither_a_share_nor_a_client_shows_a_secret() -> None:
    client = DavClient(link(9), PASSWORD, NO_PROXIES)
    endpoints = (Endpoint.current(client.link, PASSWORD), Endpoint.legacy(client.link, PASSWORD))
    shown = repr((client, client.link, endpoints, Share(client, endpoints, readable=True)))
    assert TOKEN not in shown
    assert PASSWORD not in shown


def test_a_short_program_ends_in_good_order(tmp_path: Path) -> None:
    """The client's thread, when it came back to a Python that was ending, had three in ten aborted."""
    program = (
        "import asyncio, sys\n"
        "from pyreqwest.client import ClientBuilder\n"
        "from tmdb_scrapy.network import Proxies, prepared\n"
        "async def main():\n"
        "    async with prepared(ClientBuilder(), Proxies()).build() as client:\n"
        "        await client.get(sys.argv[1]).build().send()\n"
        "asyncio.run(main())\n"
    )

    async def run() -> list[int]:
        async def respond(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            writer.write(response("200 OK"))
            await writer.drain()

        async with serving(respond) as port:
            command = [sys.executable, "-c", program, f"http://127.0.0.1:{port}/"]
            return [
                await (await asyncio.create_subprocess_exec(*command, env=bare_environment(tmp_path))).wait()
                for _ in range(16)
            ]

    assert asyncio.run(run()) == [0] * 16


@pytest.fixture
def secure(tmp_path: Path) -> Iterator[NextcloudServer]:
    certificate = tmp_path / "server.pem"
    trustme.CA().issue_cert("127.0.0.1").private_key_and_cert_chain_pem.write_to_path(str(certificate))
    root = tmp_path / "secure"
    root.mkdir()
    server = NextcloudServer(root, certificate)
    yield server
    server.stop()


def test_an_unknown_certificate_is_refused_before_anything_is_sent(
    secure: NextcloudServer, movies: Path
) -> None:
    assert "certificate is not trusted" in refused(secure, movies)
    assert secure.requests == []


def test_a_server_that_is_down_is_named(server: NextcloudServer, movies: Path) -> None:
    with socket.socket() as unheard:
        # Bound and not listening: nobody else can take the port, and nobody answers on it.
        unheard.bind(("127.0.0.1", 0))
        host = f"127.0.0.1:{unheard.getsockname()[1]}"
        assert host in refused(server, movies, link=f"http://{host}/s/{TOKEN}")


def test_a_server_that_never_answers_is_given_up(
    server: NextcloudServer, movies: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(wire, "RESPONSE_S", 0.05)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        host = f"127.0.0.1:{silent.getsockname()[1]}"
        message = refused(server, movies, link=f"http://{host}/s/{TOKEN}")
    assert message == f"{host}: the connection broke (the server fell silent). Try again later"
