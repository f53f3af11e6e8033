"""SSH connections: Fabric's, with host keys verified and nothing waited for without end."""

from __future__ import annotations

import logging
import os
import shlex
import socket
import threading
from typing import Any

from fabric import Config as FabricConfig
from fabric import Connection
from paramiko import ProxyCommand, SSHConfig
from paramiko.ssh_exception import BadHostKeyException, ChannelException

from deploy.ssh import ssh_config
from deploy.ssh.failures import HostFailure, translate
from deploy.ssh.host_keys import StrictPolicy, Trust
from deploy.ssh.hosts import Host
from deploy.ssh.identities import Identities
from deploy.ssh.options import Options, options_of

BANNER_TIMEOUT_S = 20
AUTHENTICATION_TIMEOUT_S = 30
CHANNEL_TIMEOUT_S = 30
KEEPALIVE_S = 15
"""Keeps a router between us and a host from forgetting a connection while pip works in silence."""

UNACKNOWLEDGED_MS = 60_000
"""A host that acknowledges nothing for so long, keepalives included, is gone (tcp(7), TCP_USER_TIMEOUT)."""

ADDRESS_FAMILIES = {"inet": socket.AF_INET, "inet6": socket.AF_INET6}

# Its threads log each failed handshake with a traceback; the exception says the same to the report.
logging.getLogger("paramiko").addHandler(logging.NullHandler())


class StrictConnection(Connection):  # type: ignore[misc]
    """A `fabric.Connection` that verifies host keys and goes by the user's SSH configuration and agent."""

    # Fabric takes attributes that the class does not have for settings.
    options: Options
    trust = Trust(new_hosts=False)
    opening = threading.Lock()
    is_jump_host = False
    failure: HostFailure | None = None

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
        known_as = self.options.known_as
        known_hosts = self.trust.known_hosts(
            self.options.user_known_hosts_files, self.options.global_known_hosts_files
        )
        for key in known_hosts.keys_of(known_as):
            self.client.get_host_keys().add(self.as_host.known_as, key.get_name(), key)
        self.client.set_missing_host_key_policy(
            StrictPolicy(known_hosts, known_as, self.as_host, self.trust.new_hosts)
        )
        if not self.gateway:
            self.connect_kwargs["sock"] = _dial(self.options)
        try:
            opened = super().open()
        except BadHostKeyException as mismatch:
            raise known_hosts.refusal(known_as, mismatch) from None
        self.transport.set_keepalive(KEEPALIVE_S)
        # Not on a jump host's channel, and not where the kernel has no such limit (macOS).
        if isinstance(self.transport.sock, socket.socket) and hasattr(socket, "TCP_USER_TIMEOUT"):
            self.transport.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, UNACKNOWLEDGED_MS)
        return opened

    def open_gateway(self) -> Any:
        if isinstance(self.gateway, str):
            # As ssh does: the user's shell, so that redirections and pipes work.
            shell = os.environ.get("SHELL") or "/bin/sh"
            return ProxyCommand(shlex.join([shell, "-c", f"exec {self.gateway}"]))
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
        self._jump_hosts: dict[tuple[Host, StrictConnection | None], StrictConnection] = {}
        self._being_made: list[Host] = []
        self._making = threading.Lock()

    def to(self, host: Host) -> StrictConnection:
        """The connection to `host`, opened at its first use. Raises `HostFailure` for a configuration of SSH
        that cannot be used."""
        options = None if host in self._hosts else options_of(host)  # which may take a while: all at once
        with self._making:
            if options is not None and host not in self._hosts:
                made = self._make(options)
                made.gateway = self._gateway(options)
                self._hosts[host] = made
            return self._hosts[host]

    def close(self) -> None:
        """Close all of them."""
        for connection in (*self._hosts.values(), *self._jump_hosts.values()):
            connection.close()

    def _gateway(self, options: Options) -> StrictConnection | str | bool:
        """A jump host, a ProxyCommand, or False for neither."""
        via: StrictConnection | None = None
        for hop in options.proxy_jump:
            via = self._jump_host(hop, via)
        return via or options.proxy_command or False

    def _jump_host(self, hop: Host, via: StrictConnection | None) -> StrictConnection:
        if hop in self._being_made:
            raise HostFailure(f"its jump host {hop} is reached through itself", ssh_config.see(hop))
        if (hop, via) not in self._jump_hosts:
            options = options_of(hop)
            made = self._make(options)
            made.is_jump_host = True
            self._being_made.append(hop)
            try:
                made.gateway = via or self._gateway(options)
            finally:
                self._being_made.pop()
            self._jump_hosts[hop, via] = made
        return self._jump_hosts[hop, via]

    def _make(self, options: Options) -> StrictConnection:
        made = StrictConnection(
            options.hostname,
            user=options.user,
            port=options.port,
            gateway=False,
            forward_agent=False,
            config=FabricConfig(ssh_config=SSHConfig()),  # which options has read, better than Fabric would
            connect_timeout=options.connect_timeout_s,
            connect_kwargs={
                "banner_timeout": BANNER_TIMEOUT_S,
                "auth_timeout": AUTHENTICATION_TIMEOUT_S,
                "channel_timeout": CHANNEL_TIMEOUT_S,
                "auth_strategy": Identities(options),
            },
        )
        made.options, made.trust, made.opening = options, self._trust, threading.Lock()
        return made


def _dial(options: Options) -> socket.socket:
    """A TCP connection to one of the host's addresses, the first that lets itself be reached: the SSH library
    gives up at one without a route. Raises `OSError`."""
    family = ADDRESS_FAMILIES.get(options.address_family, socket.AF_UNSPEC)
    source = (options.bind_address, 0) if options.bind_address else None
    failure: OSError | None = None
    for *_, where in socket.getaddrinfo(options.hostname, options.port, family, socket.SOCK_STREAM):
        try:
            return socket.create_connection((str(where[0]), options.port), options.connect_timeout_s, source)
        except OSError as error:
            failure = failure or error
    raise failure or OSError(f"{options.hostname} has no address")
