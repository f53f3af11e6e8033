"""deploy.ssh.connections: which way the SSH configuration leads, before any connection is opened."""

from __future__ import annotations

import socket
from pathlib import Path
from typing import Any

import pytest

from deploy.ssh import connections
from deploy.ssh.connections import Connections, StrictConnection
from deploy.ssh.failures import HostFailure
from deploy.ssh.hosts import Host
from deploy.ssh.options import options_of


def gateway(opened: Connections, address: str) -> StrictConnection:
    found = opened.to(Host(address)).gateway
    assert isinstance(found, StrictConnection)
    return found


def test_a_jump_host_is_one_connection_whoever_goes_through_it(ssh_config: Path) -> None:
    ssh_config.write_text("Host desktop-*\n ProxyJump me@door:2222\nHost other\n ProxyJump else\n")
    opened = Connections(trust_new=False)
    door = gateway(opened, "desktop-1")
    assert door is gateway(opened, "desktop-2")
    assert door is not gateway(opened, "other")
    assert (door.user, door.options.known_as, bool(door.connect_timeout)) == ("me", "[door]:2222", True)


def test_jump_hosts_are_passed_in_their_order(ssh_config: Path) -> None:
    ssh_config.write_text("Host far\n ProxyJump first,second\n")
    second = gateway(Connections(trust_new=False), "far")
    assert (second.host, second.gateway.host, second.gateway.gateway) == ("second", "first", False)


@pytest.mark.parametrize("name", ["door", "plain"])
def test_no_jump_host_is_no_jump_host(name: str, ssh_config: Path) -> None:
    ssh_config.write_text("Host plain door\n ProxyJump none\nHost *\n ProxyJump door\n")
    assert Connections(trust_new=False).to(Host(name)).gateway is False


@pytest.mark.parametrize("name", ["a", "b", "c"])
def test_jump_hosts_in_a_ring_are_a_failure_of_the_host(name: str, ssh_config: Path) -> None:
    ssh_config.write_text("Host a\n ProxyJump b\nHost b\n ProxyJump a\nHost c\n ProxyJump a\n")
    with pytest.raises(HostFailure, match="is reached through itself"):
        Connections(trust_new=False).to(Host(name))


def test_an_address_without_a_way_to_it_does_not_hide_the_next(
    ssh_config: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        ssh_config.write_text(f"Host two-ways\n Port {port}\n ConnectTimeout 1\n")
        known = socket.getaddrinfo

        def both(host: str, *arguments: Any, **options: Any) -> list[Any]:
            names = ["2001:db8::1", "127.0.0.1"] if host == "two-ways" else [host]
            return [found for name in names for found in known(name, *arguments, **options)]

        monkeypatch.setattr(socket, "getaddrinfo", both)
        dialled = connections._dial(options_of(Host("two-ways")))
        with dialled:
            assert dialled.getpeername() == ("127.0.0.1", port)


def test_a_jump_host_that_fails_is_tried_once(ssh_config: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    ssh_config.write_text("Host a b\n ProxyJump me@door\n")
    opened, tries = Connections(trust_new=False), []

    def refuse(connection: StrictConnection) -> None:
        tries.append(connection.host)
        if connection.host == "door":
            raise TimeoutError
        connection.open_gateway()

    monkeypatch.setattr(StrictConnection, "_open", refuse)
    for name in ("a", "b"):
        with pytest.raises(HostFailure, match="its jump host door: no answer in time") as failed:
            opened.to(Host(name)).open()
        assert "ssh me@door" in failed.value.advice
    assert tries == ["a", "door", "b"]
