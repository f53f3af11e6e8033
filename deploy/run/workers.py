"""`make launch`, `stop`, `kill`: workers on all hosts."""

from __future__ import annotations

import os
from pathlib import Path

from deploy.fleet import Fleet
from deploy.install import provisioning, worker_settings
from deploy.install.fleet_redis import FleetRedis
from deploy.on_host.run import workers
from deploy.on_host.run.workers import Launched, Stopped
from deploy.ssh.failures import HostFailure
from deploy.ssh.hosts import Host
from deploy.ssh.remote_calls import SILENCE_TIMEOUT_S, RemoteCalls
from tmdb_scrapy.config import ENV_FILE, read_env_file
from tmdb_scrapy.kinds import Kind

STOP_DEADLINE_S = 90.0
KILL_DEADLINE_S = 10.0


def launch(fleet: Fleet, redis: FleetRedis, kind: Kind) -> dict[Host, Launched | HostFailure]:
    """Start PROCESSES workers of `kind` on every host, less those that run."""
    settings = worker_settings.for_workers(redis.url_on_hosts)
    # "auto" means each host's own cores, so Config's number, which counts ours, will not do.
    text = os.environ.get("PROCESSES") or read_env_file(Path(ENV_FILE)).get("PROCESSES", "")
    wanted = workers.AUTO if text.strip().lower() == workers.AUTO else str(fleet.config.processes)

    def start(_: Host, calls: RemoteCalls) -> Launched:
        provisioning.check_redis(calls, redis)
        worker_settings.send(calls, fleet.working_dir, settings, redis.authority)
        return calls.call(
            workers.launch,
            working_dir=fleet.working_dir,
            kind=kind.name,
            processes_wanted=wanted,
            not_passed_on=settings.not_passed_on,
        )

    return fleet.each(start)


def stop(fleet: Fleet) -> dict[Host, Stopped | HostFailure]:
    """Ask all workers to end cleanly; a failure for a host where some did not."""

    def end(_: Host, calls: RemoteCalls) -> Stopped:
        stopped = calls.with_payload(
            (),
            STOP_DEADLINE_S + SILENCE_TIMEOUT_S,
            workers.stop,
            working_dir=fleet.working_dir,
            deadline_s=STOP_DEADLINE_S,
        )
        return _all_ended(
            stopped, f"still running after {STOP_DEADLINE_S:.0f} s", "make kill ends them at once"
        )

    return fleet.each(end)


def kill(fleet: Fleet) -> dict[Host, Stopped | HostFailure]:
    """End all workers at once."""

    def end(_: Host, calls: RemoteCalls) -> Stopped:
        killed = calls.call(workers.kill, working_dir=fleet.working_dir, deadline_s=KILL_DEADLINE_S)
        return _all_ended(killed, "not even SIGKILL ended it", "its disk or NFS server hangs: see that host")

    return fleet.each(end)


def _all_ended(stopped: Stopped, what: str, advice: str) -> Stopped:
    if stopped["remaining"]:
        raise HostFailure(f"{what}: {', '.join(str(pid) for pid in stopped['remaining'])}", advice)
    return stopped
