"""deploy.deadline and latency: a host that falls silent is given up."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from typing import Any

import pytest
from paramiko import AUTH_SUCCESSFUL, ECDSAKey, ServerInterface, Transport

from deploy import latency
from deploy.deadline import deadline


class SilentServer(ServerInterface):
    """Takes requests, and answers none before `speak` is set."""

    def __init__(self) -> None:
        self.speak = threading.Event()

    def check_auth_none(self, username: str) -> int:
        return AUTH_SUCCESSFUL

    def check_global_request(self, kind: str, message: Any) -> bool:
        self.speak.wait()
        return False


class Opened:
    """What `latency.measure` needs of a connection."""

    def __init__(self, transport: Transport) -> None:
        self.transport = transport

    def open(self) -> None:
        """It is."""


@pytest.fixture
def server() -> Iterator[SilentServer]:
    made = SilentServer()
    yield made
    made.speak.set()


@pytest.fixture
def transport(server: SilentServer) -> Iterator[Transport]:
    """A client's end of an SSH connection to `server`."""
    ours, theirs = socket.socketpair()
    serving, client = Transport(theirs), Transport(ours)
    serving.add_server_key(ECDSAKey.generate())
    serving.start_server(threading.Event(), server)
    client.start_client(timeout=10)
    client.auth_none("me")
    yield client
    server.speak.set()
    for end in (client, serving):
        end.close()


def test_a_silent_host_is_given_up(transport: Transport, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(latency, "TIMEOUT_S", 0.2)
    with pytest.raises(TimeoutError):
        latency.measure(Opened(transport))


def test_a_host_that_answers_is_measured(server: SilentServer, transport: Transport) -> None:
    server.speak.set()
    assert 0 < latency.measure(Opened(transport)) < latency.TIMEOUT_S


def test_a_failure_before_the_deadline_is_told_as_it_is(transport: Transport) -> None:
    with pytest.raises(KeyError), deadline(transport, 60):
        raise KeyError
    assert transport.is_active()
