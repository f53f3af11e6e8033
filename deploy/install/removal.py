"""`make clean`: take the fleet's files off the hosts, after asking."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from dataclasses import dataclass

from deploy import shared_homes
from deploy.fleet import Fleet
from deploy.on_host.install import redis_server, removal
from deploy.on_host.install.removal import STOP_FIRST, Contents
from deploy.reports import megabytes
from deploy.shared_homes import Homes
from deploy.ssh.failures import FleetError, HostFailure
from deploy.ssh.hosts import Host
from deploy.ssh.parallel import failed, succeeded
from deploy.ssh.remote_calls import RemoteCalls


def clean(fleet: Fleet, environment: Mapping[str, str] = os.environ) -> dict[Host, str | HostFailure]:
    """Remove the working directories of all of `ips.txt` and REMOTE_HOST, or of those that HOSTS names.

    All of the fleet is looked at, chosen or not, because a directory may be shared, and REMOTE_HOST's Redis
    is everybody's. Raises `FleetError` when the user does not agree.
    """
    survey = _look_around(fleet)
    chosen = fleet.hosts if fleet.narrowed else fleet.everybody
    results: dict[Host, str | HostFailure] = {
        host: survey.failures.get(host) or "nothing there" for host in chosen
    }
    keepers: list[Host] = []
    for keeper, members in survey.households(chosen).items():
        obstacle = survey.obstacle(members, chosen)
        results.update({host: obstacle or f"see {keeper}" for host in members if host in results})
        if obstacle is None:
            keepers.append(keeper)
    if keepers:
        _ask({keeper: survey.contents[keeper] for keeper in keepers}, survey, environment)
        results.update(_take_away(fleet, survey, keepers))
    return results


@dataclass(frozen=True)
class _Survey:
    """What all hosts said."""

    contents: dict[Host, Contents]
    """Of the hosts that have a working directory."""
    homes: Homes
    failures: dict[Host, HostFailure]
    """Hosts that did not say what they have."""

    def households(self, chosen: list[Host]) -> dict[Host, list[Host]]:
        """Keeper → all hosts of its working directory, for each directory that a chosen host has."""
        members: dict[Host, list[Host]] = {}
        for host, keeper in self.homes.keeper.items():
            members.setdefault(keeper, []).append(host)
        return {keeper: hosts for keeper, hosts in members.items() if set(hosts) & set(chosen)}

    def obstacle(self, members: list[Host], chosen: list[Host]) -> HostFailure | None:
        """Why the directory of `members` has to stay."""
        if left_out := [host for host in members if host not in chosen]:
            return HostFailure(
                f"its directory is that of {_names(left_out)} too, which HOSTS leaves out",
                "name all hosts that share it, or run make clean without HOSTS",
            )
        if busy := [host for host in members if self.contents[host]["workers"]]:
            return HostFailure(f"workers still run on {_names(busy)}", STOP_FIRST)
        if any(self.contents[host]["redis"] for host in members):
            return self._need_of_redis()
        return None

    def _need_of_redis(self) -> HostFailure | None:
        if busy := [host for host, seen in self.contents.items() if seen["workers"]]:
            return HostFailure(f"its Redis is used by workers on {_names(busy)}", STOP_FIRST)
        if self.failures:
            return HostFailure(
                f"its Redis may be used by workers on {_names(self.failures)}, where nobody could look",
                "run make clean again when that works, or strike those hosts out of ips.txt",
            )
        return None


def _look_around(fleet: Fleet) -> _Survey:
    everyone = list(dict.fromkeys([*fleet.everybody, *fleet.listed]))
    looked = fleet.each(lambda _, calls: calls.call(removal.look, working_dir=fleet.working_dir), everyone)
    contents = {host: seen for host, seen in succeeded(looked).items() if seen["exists"]}
    homes = shared_homes.find(fleet, contents, create=False)
    return _Survey(contents, homes, {**failed(looked), **homes.failures})


def _take_away(fleet: Fleet, survey: _Survey, keepers: list[Host]) -> dict[Host, str | HostFailure]:
    """Redis goes first: it would write into its directory again."""
    serving = [
        host
        for host, keeper in survey.homes.keeper.items()
        if keeper in keepers and survey.contents[host]["redis"]
    ]
    stopped = fleet.each(
        lambda _, calls: calls.call(redis_server.stop, working_dir=fleet.working_dir), serving
    )
    removed = fleet.each(lambda _, calls: _remove(calls, fleet.working_dir), keepers)
    return {**removed, **failed(stopped)}


def _remove(calls: RemoteCalls, working_dir: str) -> str:
    all_gone = calls.call(removal.remove, working_dir=working_dir)
    return "removed" if all_gone else "removed ours; the directory has files of others and stays"


def _ask(found: dict[Host, Contents], survey: _Survey, environment: Mapping[str, str]) -> None:
    """Raises `FleetError` unless the user, or YES=1, says yes."""
    if environment.get("YES") == "1":
        return
    for host, contents in found.items():
        lost = f"{contents['parts']} parts, {megabytes(contents['parts_bytes'])}"
        print(f"{host}: would remove {contents['directory']} with {lost}")
        if any(survey.contents[member]["redis"] for member in survey.households([host])[host]):
            print(f"{host}: would remove the fleet's queue, which is in its Redis")
    if not sys.stdin.isatty():
        raise FleetError("nothing removed: YES=1 makes this command go on without asking")
    print("make collect brings parts home first.")
    if input("Remove all that? Type yes: ").strip() != "yes":
        raise FleetError("nothing removed")


def _names(hosts: list[Host] | dict[Host, HostFailure]) -> str:
    return ", ".join(str(host) for host in hosts)
