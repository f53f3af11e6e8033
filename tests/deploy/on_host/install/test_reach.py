"""deploy.on_host.install.reach: Redis asked by hand, through TLS too."""

from __future__ import annotations

import socket
import ssl
import threading
from collections.abc import Iterator

import pytest
import trustme

from deploy.on_host.install.reach import ask_redis
from deploy.on_host.workspace import Problem

AUTHORITY = trustme.CA()
PEM = AUTHORITY.cert_pem.bytes().decode()


@pytest.fixture
def port() -> Iterator[int]:
    """A server with a certificate for 127.0.0.1 that answers PONG to whatever one client says."""
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    AUTHORITY.issue_cert("127.0.0.1").configure_cert(context)
    with socket.create_server(("127.0.0.1", 0)) as listening:

        def serve() -> None:
            with listening.accept()[0] as plain:
                try:
                    with context.wrap_socket(plain, server_side=True) as wire:
                        wire.recv(512)
                        wire.sendall(b"+PONG\r\n")
                except ssl.SSLError:
                    return  # the client did not trust us

        server = threading.Thread(target=serve)
        server.start()
        yield listening.getsockname()[1]
        server.join()


def test_an_authority_that_is_sent_along_is_trusted(port: int) -> None:
    assert ask_redis("127.0.0.1", port, "default", "", tls=True, authority=PEM) > 0


def test_another_authority_is_told_from_an_absent_redis(port: int) -> None:
    with pytest.raises(Problem, match="is not to be trusted") as refused:
        ask_redis("127.0.0.1", port, "default", "", tls=True)
    assert "?ssl_ca_certs=" in refused.value.advice


def test_an_absent_redis_comes_with_the_advice_for_it() -> None:
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        with pytest.raises(Problem, match="no Redis at") as absent:
            ask_redis("127.0.0.1", held.getsockname()[1], "", "", tls=False, advice="start it")
    assert absent.value.advice == "start it"
