"""Which hosts share a working directory (homes on NFS), so that one of them does the work for all."""

from __future__ import annotations

import secrets
from collections.abc import Iterable
from dataclasses import dataclass

from deploy.fleet import Fleet
from deploy.on_host import storage
from deploy.on_host.storage import SignedIn
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
    signed_in = succeeded(results)
    by_name = {str(host): host for host in asked}
    keeper = {host: by_name[signed["first"]] for host, signed in signed_in.items()}
    fleet.each(
        lambda _, calls: calls.call(storage.sign_out, working_dir=fleet.working_dir, survey=survey),
        list(dict.fromkeys(keeper.values())),
    )
    if fleet.main in keeper:
        replaced = keeper[fleet.main]
        keeper = {host: fleet.main if kept == replaced else kept for host, kept in keeper.items()}
    namesakes = _namesakes(signed_in, keeper)
    keeper = {host: kept for host, kept in keeper.items() if host not in namesakes}
    return Homes(keeper, {**failed(results), **namesakes})


def _namesakes(signed_in: dict[Host, SignedIn], keeper: dict[Host, Host]) -> dict[Host, HostFailure]:
    """Machines that would take each other's logs and records of processes for their own."""
    known: dict[tuple[Host, str], Host] = {}
    failures = {}
    for host in sorted(signed_in, key=lambda host: keeper[host] != host):
        signed = signed_in[host]
        other = known.setdefault((keeper[host], signed["hostname"]), host)
        if signed["boot"] != signed_in[other]["boot"]:
            failures[host] = HostFailure(
                f"it shares its home with {other}, and both are called {signed['hostname']}: each would take "
                "the other's workers for its own",
                "give it a host name of its own: hostnamectl set-hostname NAME, then make init",
            )
    return failures
