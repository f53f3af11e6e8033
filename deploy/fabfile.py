"""The fleet's tasks, thin over the modules beside this file: `fab --search-root deploy --list`.

HOSTS=a,b (or HOST=a) in the environment narrows a task to some hosts of `ips.txt`; KIND names kinds.
"""

# mypy: disable-error-code="untyped-decorator"
from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress

from fabric import task
from invoke.context import Context
from invoke.exceptions import Exit
from rich.console import Console

from deploy import reports
from deploy.data import prune, upload
from deploy.data.collect import collect_parts
from deploy.fleet import Fleet, kinds
from deploy.install import fleet_redis, provisioning, removal
from deploy.on_host import machine
from deploy.run import console as telnet
from deploy.run import workers
from deploy.run.logs import LogFollowing
from deploy.ssh import latency
from deploy.ssh.failures import FleetError, HostFailure, translate
from deploy.ssh.hosts import Host, HostsError
from deploy.ssh.remote_calls import RemoteCalls
from tmdb_scrapy.config import ConfigError
from tmdb_scrapy.kinds import Kind
from tmdb_scrapy.records.part import parts_directory

LOG_LINES = 20


@contextmanager
def the_fleet() -> Iterator[Fleet]:
    """The fleet, and errors that are not one host's as a message and status 1."""
    try:
        with Fleet.load() as fleet:
            yield fleet
    except (ConfigError, HostsError, FleetError) as error:
        raise Exit(str(error), code=1) from None


@task
def ping(_: Context) -> None:
    """Who answers, how fast, with which Python."""

    def ask(host: Host, calls: RemoteCalls) -> tuple[float, machine.Machine]:
        return latency.measure(calls.connection), calls.call(machine.describe)

    with the_fleet() as fleet:
        reports.report(
            "ping",
            ["SSH ms", "Python", "host name", "architecture"],
            fleet.each(ask, fleet.everybody),
            lambda row: [
                f"{row[0] * 1000:.1f}",
                row[1]["python"],
                row[1]["hostname"],
                row[1]["architecture"],
            ],
        )


@task
def load(_: Context) -> None:
    """Load average, free memory and free disk."""
    with the_fleet() as fleet:
        reports.report(
            "load",
            ["load 1, 5, 15 min", "cores", "memory free", "of", "disk free"],
            fleet.each(
                lambda _, calls: calls.call(machine.load, working_dir=fleet.working_dir), fleet.everybody
            ),
            lambda row: [
                " ".join(f"{average:.2f}" for average in row["load_average"]),
                str(row["cores"]),
                reports.megabytes(row["memory_free_bytes"]),
                reports.megabytes(row["memory_bytes"]),
                reports.megabytes(row["disk_free_bytes"]),
            ],
        )


@task
def init(_: Context) -> None:
    """Put the project and its environment on every host; start Redis on REMOTE_HOST."""
    with the_fleet() as fleet:
        redis = fleet_redis.find(fleet, create=True)
        reports.report(
            "init",
            ["home", "project", "environment", "Redis"],
            provisioning.provide(fleet, redis),
            lambda row: [row.home, row.project, row.environment, row.redis],
        )


@task
def launch(_: Context) -> None:
    """Start the workers that are not running."""
    with the_fleet() as fleet:
        redis = fleet_redis.find(fleet)
        for kind in kinds():
            reports.report(
                f"launch {kind.name}",
                ["started", "ran already", "nothing to do"],
                workers.launch(fleet, redis, kind),
                lambda row: [str(row["started"]), str(row["running"]), str(row["finished"])],
            )


@task
def stop(_: Context) -> None:
    """End workers cleanly."""
    with the_fleet() as fleet:
        reports.report("stop", ["ended"], workers.stop(fleet), lambda row: [str(row["ended"])])


@task
def kill(_: Context) -> None:
    """End workers at once."""
    with the_fleet() as fleet:
        reports.report("kill", ["killed"], workers.kill(fleet), lambda row: [str(row["ended"])])


@task
def logs(_: Context) -> None:
    """Follow the logs until ^C; FOLLOW=0 shows their last lines only."""
    with the_fleet() as fleet:
        go_on = os.environ.get("FOLLOW", "1") != "0"
        following = LogFollowing(fleet)
        with suppress(KeyboardInterrupt):
            following.follow(LOG_LINES, go_on)
        reports.report("logs", ["lines"], following.results, lambda shown: [str(shown)])


@task
def console(_: Context) -> None:
    """Open the telnet console of a worker of HOST."""
    with the_fleet() as fleet:
        if len(fleet.hosts) != 1:
            raise FleetError("name one host, for example: make console HOST=desktop-1")
        (host,) = fleet.hosts
        try:
            first, *others = telnet.find(fleet, host)
            also = ", ".join(str(other["pid"]) for other in others)
            print(
                f"worker {first['pid']} of {host}"
                + (f" (it also has {also})" if also else "")
                + "; ^D leaves"
            )
            telnet.converse(telnet.log_in(fleet, host, first))
        except Exception as error:
            failure = translate(error, host)
            reports.explain(host, failure, Console())
            raise Exit(code=1) from None


@task
def collect(_: Context) -> None:
    """Bring all parts home, merge and audit; with PRUNE=1 remove those that are wholly merged."""
    with the_fleet() as fleet:
        failed = [kind.name for kind in kinds() if not _collected(fleet, kind)]
    if failed:
        raise Exit(f"not all is well with {', '.join(failed)}: see above", code=1)


def _collected(fleet: Fleet, kind: Kind) -> bool:
    """Whether all machines gave their parts, and merge and audit find nothing wrong."""
    results = collect_parts(fleet, kind)
    complete = reports.report_and_go_on(
        f"collect {kind.name}",
        ["parts", "new or longer", "bytes new", "on the wire"],
        results,
        lambda row: [
            str(row.parts) if row.home == "own" else row.home,
            str(row.new),
            reports.megabytes(row.new_bytes),
            reports.megabytes(row.wire_bytes),
        ],
    )
    # What has come home is worth merging even if a host could not be reached.
    if os.environ.get("PRUNE") == "1":
        whole = [host for host, result in results.items() if not isinstance(result, HostFailure)]
        merged = _merged_and_pruned(fleet, kind, whole)
    else:
        merged = _scrapy("merge", kind.name)
    return _scrapy("audit", kind.name) and merged and complete


def _merged_and_pruned(fleet: Fleet, kind: Kind, whole: list[Host]) -> bool:
    """Whether merge finds nothing wrong, and the hosts of which everything came (`whole`) removed what merge
    removed here."""
    directory = parts_directory(fleet.config.data_dir, kind)
    before = prune.sizes_of(directory)
    merged = _scrapy("merge", kind.name, "--prune")
    gone = {name: size for name, size in before.items() if not (directory / name).exists()}
    removed = prune.remove_from_hosts(fleet, kind, gone, whole)
    title, columns = f"prune {kind.name}", ["parts removed"]
    return reports.report_and_go_on(title, columns, removed, lambda count: [str(count)]) and merged


def _scrapy(*arguments: str) -> bool:
    """Whether a command of the project did what it says."""
    return subprocess.run([sys.executable, "-m", "scrapy", *arguments]).returncode == 0


@task(name="upload-parts")
def upload_parts(_: Context) -> None:
    """Have every host send its own parts to the share."""
    with the_fleet() as fleet:
        redis = fleet_redis.find(fleet)
        for kind in kinds():
            results = upload.upload_parts(fleet, redis, kind)
            reports.report(f"upload-parts {kind.name}", ["upload"], results, lambda line: [line])


@task
def clean(_: Context) -> None:
    """Remove the fleet's files from the hosts, after asking."""
    with the_fleet() as fleet:
        reports.report("clean", ["outcome"], removal.clean(fleet), lambda outcome: [outcome])
