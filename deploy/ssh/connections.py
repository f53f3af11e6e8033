"""SSH connections: Fabric's, with host keys verified and nothing waited for without end."""

from __future__ import annotations

import logging
import socket
import threading
from typing import Any

from fabric import Config as FabricConfig
from fabric import Connection
from paramiko.ssh_exception import BadHostKeyException, ChannelException

from deploy.ssh.failures import HostFailure, translate
from deploy.ssh.host_keys import StrictPolicy, Trust
from deploy.ssh.hosts import Host

CONNECT_TIMEOUT_S = 10
BANNER_TIMEOUT_S = 20
AUTHENTICATION_TIMEOUT_S = 30
CHANNEL_TIMEOUT_S = 30
KEEPALIVE_S = 15
"""Keeps a router between us and a host from forgetting a connection while pip works in silence."""

UNACKNOWLEDGED_MS = 60_000
"""A host that acknowledges nothing for so long, keepalives included, is gone (tcp(7), TCP_USER_TIMEOUT)."""

# Its threads log each failed handshake with a traceback; the exception says the same to the report.
logging.getLogger("paramiko").addHandler(logging.NullHandler())


class StrictConnection(Connection):  # type: ignore[misc]
    """A `fabric.Connection` that verifies host keys and honours the user's SSH configuration and agent."""

    # Fabric takes attributes that the class does not have for settings.
    trust = Trust(new_hosts=False)
    opening = threading.Lock()
    is_jump_host = False
    failure: HostFailure | None = None

    @property
    def known_as(self) -> str:
        """As known_hosts names it."""
        return self.as_host.known_as

    @property
    def as_host(self) -> Host:
        """The machine, as `ssh` would be told of it."""
        return Host(self.host, self.user, None if self.port == 22 else self.port)

    def open(self) -> Any:
        """Raises `RefusedHostKey`, `HostFailure` for a jump host, and what the SSH library raises."""
        with self.opening:
            if self.is_connected:
                return None
            if self.failure is not None:  # many hosts ask for a jump host; it is tried once
                raise self.failure
            try:
                return self._open()
            except Exception as error:
                if not self.is_jump_host:
                    raise
                told = translate(error, self.as_host)
                self.failure = HostFailure(f"its jump host {self.as_host}: {told.reason}", told.advice)
                raise self.failure from error

    def _open(self) -> Any:
        known_hosts = self.trust.known_hosts(self.ssh_config)
        known_hosts.load_into(self.client, self.known_as)
        self.client.set_missing_host_key_policy(StrictPolicy(known_hosts, self.trust.new_hosts))
        try:
            opened = super().open()
        except BadHostKeyException as mismatch:
            raise known_hosts.refusal(self.known_as, mismatch) from None
        self.transport.set_keepalive(KEEPALIVE_S)
        # Not on a jump host's channel, and not where the kernel has no such limit (macOS).
        if isinstance(self.transport.sock, socket.socket) and hasattr(socket, "TCP_USER_TIMEOUT"):
            self.transport.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, UNACKNOWLEDGED_MS)
        return opened

    def open_gateway(self) -> Any:
        try:
            return super().open_gateway()
        except ChannelException as error:
            raise HostFailure(
                f"its jump host {self.gateway.as_host} cannot connect to it: {error.text}",
                "is it switched on, and does its sshd run?",
            ) from error


class Connections:
    """One connection a host, and one a jump host, whoever goes through it: sshd drops what comes in crowds
    (sshd_config(5), MaxStartups)."""

    def __init__(self, trust_new: bool) -> None:
        self._trust = Trust(trust_new)
        self._hosts: dict[Host, StrictConnection] = {}
        self._jump_hosts: dict[tuple[str, StrictConnection | None], StrictConnection] = {}
        self._making = threading.Lock()

    def to(self, host: Host) -> StrictConnection:
        """The connection to `host`, opened at its first use. Without a user, the SSH configuration's."""
        with self._making:
            if host not in self._hosts:
                made = self._make(host.address, user=host.user, port=host.port)
                made.gateway = self._gateway(made)
                self._hosts[host] = made
            return self._hosts[host]

    def close(self) -> None:
        """Close all of them."""
        for connection in (*self._hosts.values(), *self._jump_hosts.values()):
            connection.close()

    def _gateway(self, connection: StrictConnection) -> StrictConnection | str | bool:
        """What the SSH configuration says: a jump host, a ProxyCommand, or False for neither."""
        route = connection.ssh_config.get("proxyjump", "none")
        if route.lower() == "none":
            return connection.ssh_config.get("proxycommand") or False
        via: StrictConnection | None = None
        for hop in route.split(","):
            if connection.derive_shorthand(hop.strip())["host"] in (
                connection.original_host,
                connection.host,
            ):
                return False  # a ProxyJump for `Host *` concerns the jump host too
            via = self._jump_host(hop.strip(), via)
        return via or False

    def _jump_host(self, name: str, via: StrictConnection | None) -> StrictConnection:
        if (name, via) not in self._jump_hosts:
            made = self._make(name)
            made.is_jump_host = True
            made.gateway = via or self._gateway(made)
            self._jump_hosts[name, via] = made
        return self._jump_hosts[name, via]

    def _make(self, name: str, user: str | None = None, port: int | None = None) -> StrictConnection:
        made = StrictConnection(
            name,
            user=user,
            port=port,
            gateway=False,
            config=FabricConfig(),
            connect_timeout=CONNECT_TIMEOUT_S,
            connect_kwargs={
                "banner_timeout": BANNER_TIMEOUT_S,
                "auth_timeout": AUTHENTICATION_TIMEOUT_S,
                "channel_timeout": CHANNEL_TIMEOUT_S,
            },
        )
        made.trust, made.opening = self._trust, threading.Lock()
        return made
