"""Which hosts share a working directory (homes on NFS), so that one of them does the work for all."""

from __future__ import annotations

import secrets
from collections.abc import Iterable
from dataclasses import dataclass

from deploy.fleet import Fleet
from deploy.on_host import storage
from deploy.ssh.failures import HostFailure
from deploy.ssh.hosts import Host
from deploy.ssh.parallel import failed, succeeded


@dataclass(frozen=True)
class Homes:
    """The outcome of asking all hosts."""

    keeper: dict[Host, Host]
    """Host → the host that does the work for its working directory: itself, unless it shares that."""
    failures: dict[Host, HostFailure]
    """Hosts that could not say."""

    @property
    def keepers(self) -> list[Host]:
        """One host a working directory."""
        return list(dict.fromkeys(self.keeper.values()))

    def describe(self, host: Host) -> str:
        """For a report."""
        keeper = self.keeper[host]
        return "own" if list(self.keeper.values()).count(keeper) == 1 else f"shared, kept by {keeper}"


def find(fleet: Fleet, hosts: Iterable[Host], create: bool) -> Homes:
    """Ask `hosts`. The main machine keeps the directory it shares. With `create`, working directories are
    made where there are none."""
    survey = secrets.token_hex(8)
    asked = list(hosts)
    results = fleet.each(
        lambda host, calls: calls.call(
            storage.sign_in, working_dir=fleet.working_dir, survey=survey, name=str(host), create=create
        ),
        asked,
    )
    first = succeeded(results)
    by_name = {str(host): host for host in asked}
    keeper = {host: by_name[name] for host, name in first.items()}
    fleet.each(
        lambda _, calls: calls.call(storage.sign_out, working_dir=fleet.working_dir, survey=survey),
        list(dict.fromkeys(keeper.values())),
    )
    if fleet.main in keeper:
        replaced = keeper[fleet.main]
        keeper = {host: fleet.main if kept == replaced else kept for host, kept in keeper.items()}
    return Homes(keeper, failed(results))
