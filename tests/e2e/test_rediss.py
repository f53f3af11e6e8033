"""A Redis behind TLS, as for a fleet across the public Internet."""

from __future__ import annotations

import asyncio
import contextlib
import ssl
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from crawl import Crawl

from benchmarks.authority import Authority


async def _forward(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with contextlib.suppress(OSError):
        while data := await reader.read(1 << 16):
            writer.write(data)
            await writer.drain()
    writer.close()


@contextlib.contextmanager
def tls_in_front_of(port: int, authority: Authority) -> Iterator[int]:
    """The port where TLS is spoken for whatever listens on `port`."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(authority.certificate, authority.key)
    loop = asyncio.new_event_loop()

    async def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        onward_reader, onward_writer = await asyncio.open_connection("127.0.0.1", port)
        await asyncio.gather(_forward(reader, onward_writer), _forward(onward_reader, writer))

    server = loop.run_until_complete(asyncio.start_server(connected, "127.0.0.1", 0, ssl=context))
    thread = threading.Thread(target=loop.run_forever)
    thread.start()
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        server.close()
        for task in asyncio.all_tasks(loop):
            task.cancel()
        loop.run_until_complete(asyncio.sleep(0))
        loop.close()


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    return Authority.make(tmp_path)


def test_a_crawl_through_rediss_is_exact(crawl: Callable[..., Crawl], authority: Authority) -> None:
    far = crawl("--movies", "300")
    with tls_in_front_of(far.redis_server.port, authority) as port:
        url = f"rediss://127.0.0.1:{port}/0?ssl_ca_certs={authority.trusted}"
        for command in ("seed", "crawl", "merge", "audit", "status"):
            ended = far.scrapy(command, "movies", REDIS_URL=url)
            assert ended.code == 0, ended
    far.assert_exact()


def test_a_redis_whose_certificate_is_not_trusted_is_refused(
    crawl: Callable[..., Crawl], authority: Authority
) -> None:
    far = crawl("--movies", "10")
    with tls_in_front_of(far.redis_server.port, authority) as port:
        ended = far.scrapy("seed", "movies", REDIS_URL=f"rediss://127.0.0.1:{port}/0")
    assert ended.code == 1, ended
    assert "certificate" in ended.output and "ssl_ca_certs" in ended.output, ended
    assert not far.ledger()
