"""deploy.ssh.deadline, latency and remote_calls: a host that falls silent about anything is given up."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from typing import Any

import pytest
from paramiko import AUTH_SUCCESSFUL, OPEN_SUCCEEDED, Channel, ECDSAKey, ServerInterface, Transport

from deploy.on_host import machine
from deploy.ssh import latency, remote_calls
from deploy.ssh.deadline import deadline


class SilentServer(ServerInterface):
    """Takes requests, and answers none before `speak` is set; a command that it was told to take ends its
    output at once, and never says how it ended."""

    takes_commands = False

    def __init__(self) -> None:
        self.speak = threading.Event()

    def check_auth_none(self, username: str) -> int:
        return AUTH_SUCCESSFUL

    def check_global_request(self, kind: str, message: Any) -> bool:
        self.speak.wait()
        return False

    def check_channel_request(self, kind: str, channel_id: int) -> int:
        return OPEN_SUCCEEDED

    def check_channel_exec_request(self, channel: Channel, command: bytes) -> bool:
        if self.takes_commands:
            channel.shutdown_write()
            return True
        self.speak.wait()
        return False


class Opened:
    """What `latency` and `remote_calls` need of a connection."""

    def __init__(self, transport: Transport) -> None:
        self.transport = transport

    def open(self) -> None:
        """It is."""

    def create_session(self) -> Channel:
        return self.transport.open_session()


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


@pytest.mark.parametrize("takes_commands", [True, False])
def test_a_host_that_is_silent_about_a_command_is_given_up(
    takes_commands: bool, server: SilentServer, transport: Transport, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(remote_calls, "SILENCE_TIMEOUT_S", 0.2)
    server.takes_commands = takes_commands
    with pytest.raises(TimeoutError):
        remote_calls.RemoteCalls(Opened(transport)).call(machine.describe)


def test_a_host_that_answers_is_measured(server: SilentServer, transport: Transport) -> None:
    server.speak.set()
    assert 0 < latency.measure(Opened(transport)) < latency.TIMEOUT_S


def test_a_failure_before_the_deadline_is_told_as_it_is(transport: Transport) -> None:
    with pytest.raises(KeyError), deadline(transport, 60):
        raise KeyError
    assert transport.is_active()
