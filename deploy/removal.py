"""`make clean`: take the fleet's files off the hosts, after asking."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping

from deploy import shared_homes
from deploy.failures import FleetError, HostFailure
from deploy.fleet import Fleet
from deploy.hosts import Host
from deploy.on_host import redis_server, removal, workers
from deploy.on_host.removal import Contents
from deploy.remote_calls import RemoteCalls
from deploy.reports import megabytes


def clean(fleet: Fleet, environment: Mapping[str, str] = os.environ) -> dict[Host, str | HostFailure]:
    """Remove the working directories. Where any worker still runs, nothing is touched on any host that
    shares its home."""
    contents = fleet.each(lambda _, calls: _look(calls, fleet.working_dir))
    found = {
        host: seen for host, seen in contents.items() if not isinstance(seen, HostFailure) and seen["exists"]
    }
    results: dict[Host, str | HostFailure] = {
        host: seen if isinstance(seen, HostFailure) else "nothing there" for host, seen in contents.items()
    }
    if not found:
        return results
    _ask(found, environment)
    homes = shared_homes.find(fleet, found, create=False)
    results.update(homes.failures)
    if fleet.main in found:
        stopped = fleet.each(
            lambda _, calls: calls.call(redis_server.stop, working_dir=fleet.working_dir), [fleet.main]
        )
        results.update(
            {host: failure for host, failure in stopped.items() if isinstance(failure, HostFailure)}
        )
    removed = fleet.each(lambda _, calls: _remove(calls, fleet.working_dir), homes.keepers)
    results.update(removed)
    for host, keeper in homes.keeper.items():
        if host != keeper:
            results[host] = f"see {keeper}"
    return results


def _look(calls: RemoteCalls, working_dir: str) -> Contents:
    contents = calls.call(removal.look, working_dir=working_dir)
    if contents["exists"]:
        running = calls.call(workers.recorded, working_dir=working_dir)
        if running:
            raise HostFailure(f"{len(running)} workers still run here", "run make stop (or make kill) first")
    return contents


def _remove(calls: RemoteCalls, working_dir: str) -> str:
    all_gone = calls.call(removal.remove, working_dir=working_dir)
    return "removed" if all_gone else "removed ours; the directory has files of others and stays"


def _ask(found: dict[Host, Contents], environment: Mapping[str, str]) -> None:
    """Raises `FleetError` unless the user, or YES=1, says yes."""
    if environment.get("YES") == "1":
        return
    for host, contents in found.items():
        lost = f"{contents['parts']} parts, {megabytes(contents['parts_bytes'])}"
        print(f"{host}: would remove {contents['directory']} with {lost}")
    if not sys.stdin.isatty():
        raise FleetError("nothing removed: YES=1 makes this command go on without asking")
    print("This also removes the fleet's queue in Redis. make collect brings parts home first.")
    if input("Remove all that? Type yes: ").strip() != "yes":
        raise FleetError("nothing removed")
