"""SSH connections: Fabric's, with host keys verified and nothing waited for without end."""

from __future__ import annotations

import logging
from typing import Any

from fabric import Config as FabricConfig
from fabric import Connection

from deploy.host_keys import KnownHosts, StrictPolicy
from deploy.hosts import Host

CONNECT_TIMEOUT_S = 10
BANNER_TIMEOUT_S = 20
AUTHENTICATION_TIMEOUT_S = 30
KEEPALIVE_S = 15
"""Keeps a router between us and a host from forgetting a connection while pip works in silence."""


# Its threads log each failed handshake with a traceback; the exception says the same to the report.
logging.getLogger("paramiko").addHandler(logging.NullHandler())


class StrictConnection(Connection):  # type: ignore[misc]
    """A `fabric.Connection` that verifies host keys, its gateways' too, and honours the user's SSH
    configuration and agent."""

    trust_new = False

    def open(self) -> Any:
        if self.is_connected:
            return None
        known_hosts = KnownHosts.of(self.ssh_config)
        known_hosts.load_into(self.client)
        self.client.set_missing_host_key_policy(StrictPolicy(known_hosts, self.trust_new))
        opened = super().open()
        self.transport.set_keepalive(KEEPALIVE_S)
        return opened

    def get_gateway(self) -> Any:
        gateway = super().get_gateway()
        hop = gateway
        while isinstance(hop, Connection):  # Fabric makes these itself, with a policy that accepts anything
            hop.__class__ = StrictConnection
            hop.trust_new = self.trust_new
            hop = hop.gateway
        return gateway


def connect(host: Host, remote_user: str, trust_new: bool) -> StrictConnection:
    """A connection to `host`, not opened yet. The user is the host line's, else `remote_user`, else the SSH
    configuration's."""
    connection = StrictConnection(
        host.address,
        user=host.user or remote_user or None,
        port=host.port,
        config=FabricConfig(overrides={"run": {"in_stream": False}}),
        connect_timeout=CONNECT_TIMEOUT_S,
        connect_kwargs={"banner_timeout": BANNER_TIMEOUT_S, "auth_timeout": AUTHENTICATION_TIMEOUT_S},
    )
    connection.trust_new = trust_new
    return connection
