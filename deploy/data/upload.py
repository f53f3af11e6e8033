"""`make upload-parts`: every host sends its own parts to the Nextcloud share."""

from __future__ import annotations

from deploy import shared_homes
from deploy.fleet import Fleet
from deploy.install import worker_settings
from deploy.install.fleet_redis import FleetRedis
from deploy.on_host.data import upload
from deploy.on_host.run import workers
from deploy.ssh.failures import HostFailure
from deploy.ssh.hosts import Host
from deploy.ssh.remote_calls import RemoteCalls
from tmdb_scrapy.kinds import Kind

TIMEOUT_S = 6 * 3600.0


def upload_parts(fleet: Fleet, redis: FleetRedis, kind: Kind) -> dict[Host, str | HostFailure]:
    """Have every host send its parts to the share; once where homes are shared. Parts that a worker still
    writes to are refused."""
    fleet.each(
        lambda _, calls: calls.call(workers.forget_the_dead, working_dir=fleet.working_dir), fleet.listed
    )
    homes = shared_homes.find(fleet, fleet.hosts, create=False)
    settings, share = worker_settings.for_workers(redis.url_on_hosts), worker_settings.for_upload()

    def send(_: Host, calls: RemoteCalls) -> str:
        worker_settings.send(calls, fleet.working_dir, settings, redis.authority)
        return calls.with_payload(
            (),
            TIMEOUT_S,
            upload.upload_parts,
            working_dir=fleet.working_dir,
            kind=kind.name,
            not_passed_on=settings.not_passed_on,
            share=share,
        )

    return {**homes.failures, **fleet.each(send, homes.keepers)}
