"""`make collect`: all parts of the fleet, verified, in this machine's `DATA_DIR/KIND/parts`."""

from __future__ import annotations

import asyncio
import contextlib
import fcntl
from collections.abc import Iterator
from pathlib import Path

from redis.exceptions import RedisError

from deploy import shared_homes
from deploy.data.incoming import INCOMING, Claims, Collected, Receiver, inventory
from deploy.fleet import Fleet
from deploy.ssh.failures import FleetError, HostFailure
from deploy.ssh.hosts import Host
from tmdb_scrapy import privacy
from tmdb_scrapy.config import Config
from tmdb_scrapy.kinds import Kind
from tmdb_scrapy.queue import IdQueue, connect
from tmdb_scrapy.records import collected
from tmdb_scrapy.records.part import parts_directory


def collect_parts(fleet: Fleet, kind: Kind) -> dict[Host, Collected | HostFailure]:
    """Bring all parts here, once where homes are shared. What is here already is neither sent nor changed.

    The ledger is read first: what it calls kept must be in the parts that come after it, if they come from
    everybody. What is kept meanwhile need not. Raises `FleetError` while another collect of that kind is at
    work here.
    """
    before = _ledger(fleet.config, kind)
    homes = shared_homes.find(fleet, fleet.hosts, create=False)
    directory = parts_directory(fleet.config.data_dir, kind)
    with _alone(directory):
        claims, had = Claims(), inventory(directory)
        fetched = fleet.each(
            lambda host, calls: Receiver(directory, host, claims).receive(
                calls, fleet.working_dir, kind.name, had
            ),
            homes.keepers,
        )
    results: dict[Host, Collected | HostFailure] = {}
    for host in fleet.hosts:
        keeper = homes.keeper.get(host)
        results[host] = homes.failures[host] if keeper is None else fetched[keeper]
        if keeper is not None and keeper != host and not isinstance(fetched[keeper], HostFailure):
            results[host] = Collected(home=f"see {keeper}")
    complete = not fleet.narrowed and not any(isinstance(each, HostFailure) for each in results.values())
    if complete and before is not None:
        collected.remember(fleet.config.data_dir, kind, before)
    elif not collected.is_known(fleet.config.data_dir, kind):
        collected.remember(fleet.config.data_dir, kind, b"")
    return results


def _ledger(config: Config, kind: Kind) -> bytes | None:
    """The states of all IDs; None without Redis, which merge and audit will complain of."""

    async def read() -> bytes:
        client = connect(config)
        try:
            return await IdQueue(client, kind).ledger()
        finally:
            await client.aclose()

    try:
        return asyncio.run(read())
    except (RedisError, OSError):
        return None


@contextlib.contextmanager
def _alone(directory: Path) -> Iterator[None]:
    """One collect at a time: two would write to the same unfinished files."""
    privacy.directory(directory / INCOMING)
    with privacy.lock(directory / INCOMING / "lock") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise FleetError(f"another collect writes to {directory}: wait until it has ended") from None
        yield
