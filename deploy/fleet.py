"""Who takes part in a command, and the connections to them."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Mapping
from types import TracebackType
from typing import TypeVar

from deploy.ssh import parallel
from deploy.ssh.connections import Connections, StrictConnection
from deploy.ssh.failures import FleetError, HostFailure
from deploy.ssh.hosts import Host, HostsError, parse_host, read_hosts, select
from deploy.ssh.remote_calls import RemoteCalls
from tmdb_scrapy.config import Config
from tmdb_scrapy.kinds import FIRST, KINDS, Kind

Result = TypeVar("Result")


class Fleet:
    """The hosts of `ips.txt`, narrowed by HOSTS or HOST, and REMOTE_HOST. Closes its connections at the end
    of a `with` block."""

    def __init__(
        self,
        config: Config,
        hosts: list[Host],
        main: Host | None,
        listed: list[Host] | None = None,
        narrowed: bool = False,
    ) -> None:
        self.config = config
        self.hosts = hosts
        self.main = main
        """REMOTE_HOST; it need not be one of `hosts`."""
        self.listed = hosts if listed is None else listed
        """All hosts of `ips.txt`."""
        self.narrowed = narrowed
        """The user named `hosts`, be it all of them."""
        self._connections = Connections(config.ssh_trust_new)

    @classmethod
    def load(cls, environment: Mapping[str, str] = os.environ) -> Fleet:
        """From `.env`, the environment and `ips.txt`. Raises `ConfigError`, `HostsError`, `FleetError`."""
        config = Config.load(environment)
        hosts = [host.as_user(config.remote_user) for host in read_hosts(config.ips)]
        main = _main(config, hosts)
        wanted = ",".join(filter(None, [environment.get("HOSTS", ""), environment.get("HOST", "")]))
        return cls(config, select(hosts, wanted), main, hosts, narrowed=bool(wanted))

    def __enter__(self) -> Fleet:
        return self

    def __exit__(
        self, type_: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._connections.close()

    @property
    def working_dir(self) -> str:
        """REMOTE_WORKING_DIR; raises `FleetError` when it is not set."""
        if not self.config.remote_working_dir.strip():
            raise FleetError(
                "REMOTE_WORKING_DIR is not set: write it into .env, for example REMOTE_WORKING_DIR=~/tmdb"
            )
        return self.config.remote_working_dir

    @property
    def everybody(self) -> list[Host]:
        """The hosts, and the main machine if it is not one of them."""
        return self.hosts if self.main is None or self.main in self.hosts else [self.main, *self.hosts]

    def connection(self, host: Host) -> StrictConnection:
        """The connection to `host`, opened at its first use."""
        return self._connections.to(host)

    def calls(self, host: Host) -> RemoteCalls:
        """What `host` can be asked to do."""
        return RemoteCalls(self.connection(host))

    def each(
        self, work: Callable[[Host, RemoteCalls], Result], hosts: Iterable[Host] | None = None
    ) -> dict[Host, Result | HostFailure]:
        """`work` on all `hosts` (default: all of the fleet) at once."""
        return parallel.on_each(
            self.hosts if hosts is None else hosts, lambda host: work(host, self.calls(host))
        )


def kinds(environment: Mapping[str, str] = os.environ) -> list[Kind]:
    """Those that KIND names, one or several; raises `FleetError` for what is no kind of record."""
    named = dict.fromkeys(environment.get("KIND", "").split() or [FIRST])
    if wrong := [name for name in named if name not in KINDS]:
        raise FleetError(f"KIND={environment['KIND']!r}: {wrong[0]} is none of {', '.join(KINDS)}")
    return [KINDS[name] for name in named]


def _main(config: Config, hosts: list[Host]) -> Host | None:
    if not config.remote_host:
        return None
    try:
        main = parse_host(config.remote_host).as_user(config.remote_user)
    except ValueError as error:
        raise HostsError([f"REMOTE_HOST={config.remote_host!r}: {error}"]) from None
    same = [
        host
        for host in hosts
        if host.address.lower() == main.address.lower() and main.port in (None, host.port)
    ]
    return same[0] if same else main
