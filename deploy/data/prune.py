"""`make collect PRUNE=1`: parts that are wholly merged leave this machine, and then the hosts."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from pathlib import Path

from deploy import shared_homes
from deploy.fleet import Fleet
from deploy.on_host.data import parts
from deploy.ssh.failures import HostFailure
from deploy.ssh.hosts import Host
from deploy.ssh.remote_calls import RemoteCalls
from tmdb_scrapy.kinds import Kind


def sizes_of(directory: Path) -> dict[str, int]:
    """The parts that are here, in bytes by name."""
    return {part.name: part.stat().st_size for part in directory.glob(f"*{parts.PART}")}


def remove_from_hosts(
    fleet: Fleet, kind: Kind, sizes: Mapping[str, int], whole: Collection[Host]
) -> dict[Host, int | HostFailure]:
    """Remove the parts that have these names and sizes (bytes) from the hosts of which every part came
    (`whole`): only their parts were compared with what is merged. A host that failed may have another part of
    the same name.

    Returns how many each host removed, of those that share a home the one that keeps it.
    """
    homes = shared_homes.find(fleet, fleet.hosts, create=False)

    def remove(_: Host, calls: RemoteCalls) -> int:
        removed: int = calls.call(
            parts.remove, working_dir=fleet.working_dir, kind=kind.name, sizes=dict(sizes)
        )
        return removed

    return {**homes.failures, **fleet.each(remove, [host for host in homes.keepers if host in whole])}
