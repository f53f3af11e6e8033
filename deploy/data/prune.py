"""`make collect PRUNE=1`: parts that are wholly merged leave this machine, and then the hosts."""

from __future__ import annotations

from collections.abc import Mapping
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


def remove_from_hosts(fleet: Fleet, kind: Kind, sizes: Mapping[str, int]) -> dict[Host, int | HostFailure]:
    """Remove from the hosts the parts of these names that are no longer than this (bytes): what was collected
    was compared byte by byte, and is merged. Returns how many each host removed, of those that share a home
    the one that keeps it."""
    homes = shared_homes.find(fleet, fleet.hosts, create=False)

    def remove(_: Host, calls: RemoteCalls) -> int:
        removed: int = calls.call(
            parts.remove, working_dir=fleet.working_dir, kind=kind.name, sizes=dict(sizes)
        )
        return removed

    return {**homes.failures, **fleet.each(remove, homes.keepers)}
