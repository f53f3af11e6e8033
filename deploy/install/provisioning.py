"""`make init`: the project, its environment, its `.env` and Redis, where they are not as they should be."""

from __future__ import annotations

from dataclasses import dataclass

from deploy import shared_homes
from deploy.fleet import Fleet
from deploy.install import project_release, worker_settings
from deploy.install.fleet_redis import FleetRedis, is_loopback
from deploy.install.project_release import Release
from deploy.install.wheelhouse import NoWheels, Platform, Wheelhouse
from deploy.install.worker_settings import WorkerSettings
from deploy.on_host import machine
from deploy.on_host.install import environment, old_versions, project, reach, redis_server, release
from deploy.on_host.machine import OLDEST_PYTHON, Machine
from deploy.shared_homes import Homes
from deploy.ssh.failures import HostFailure
from deploy.ssh.hosts import Host
from deploy.ssh.remote_calls import SILENCE_TIMEOUT_S, RemoteCalls
from tmdb_scrapy.kinds import KINDS

INSTALL_TIMEOUT_S = 1800.0
"""pip says nothing while it works; slow disks and shared homes take minutes."""


@dataclass(frozen=True)
class Provided:
    """What `init` found and did on a host."""

    home: str
    project: str
    environment: str
    redis: str


def provide(fleet: Fleet, redis: FleetRedis) -> dict[Host, Provided | HostFailure]:
    """Have all hosts ready for `launch`. Hosts that share a home are served once, by one of them."""
    homes = shared_homes.find(fleet, fleet.everybody, create=True)
    package, wheelhouse = project_release.pack(), Wheelhouse()
    settings = worker_settings.for_workers(redis.url_on_hosts)
    installed = fleet.each(
        lambda _, calls: _install(calls, fleet.working_dir, package, wheelhouse, settings, redis.authority),
        homes.keepers,
    )
    redis_state = _start_redis(fleet, redis, homes, installed)
    finished = fleet.each(
        lambda host, calls: _finish(calls, fleet, host, homes, installed, redis, redis_state),
        homes.keeper,
    )
    return {host: finished.get(host) or homes.failures[host] for host in fleet.everybody}


@dataclass(frozen=True)
class _Installed:
    """What a keeper has, and what was done about it."""

    version: str
    fingerprint: str
    project: str
    environment: str


def _install(
    calls: RemoteCalls,
    working_dir: str,
    package: Release,
    wheelhouse: Wheelhouse,
    settings: WorkerSettings,
    authority: str,
) -> _Installed:
    """Switch to the new version only when it is complete and has started once: whatever fails before, the
    host stays with the version that works."""
    facts = calls.call(machine.describe)
    _require_python(facts)
    version, fingerprint = package.version, wheelhouse.fingerprint(Platform.of(facts))
    if not calls.call(release.is_installed, working_dir=working_dir, version=version):
        calls.with_payload(
            [package.archive], SILENCE_TIMEOUT_S, release.install, working_dir=working_dir, version=version
        )
    how = "unchanged"
    if not calls.call(environment.is_installed, working_dir=working_dir, fingerprint=fingerprint):
        how = _install_environment(calls, working_dir, facts, wheelhouse)
    calls.call(project.check, working_dir=working_dir, version=version, fingerprint=fingerprint)
    new_settings = worker_settings.send(calls, working_dir, settings, authority)
    switched = calls.call(project.switch, working_dir=working_dir, version=version, fingerprint=fingerprint)
    calls.call(old_versions.remove, working_dir=working_dir)
    state = "installed" if switched else "new .env" if new_settings else "unchanged"
    return _Installed(version, fingerprint, state, how)


def _require_python(facts: Machine) -> None:
    if tuple(int(number) for number in facts["python"].split(".")[:2]) < OLDEST_PYTHON:
        needed = ".".join(str(number) for number in OLDEST_PYTHON)
        raise HostFailure(
            f"its newest Python is {facts['python']}, and {needed} is needed",
            f"install it there, for example: apt install python{needed} python{needed}-venv",
        )


def _install_environment(calls: RemoteCalls, working_dir: str, facts: Machine, wheelhouse: Wheelhouse) -> str:
    platform = Platform.of(facts)
    fingerprint = wheelhouse.fingerprint(platform)
    try:
        wheels = wheelhouse.wheels(platform)
    except NoWheels as failure:
        try:
            calls.with_payload(
                (),
                INSTALL_TIMEOUT_S,
                environment.install_from_index,
                working_dir=working_dir,
                fingerprint=fingerprint,
                interpreter=facts["interpreter"],
                requirements=wheelhouse.requirements(platform),
            )
        except HostFailure as theirs:
            raise HostFailure(f"{failure}; and from its own index: {theirs.reason}", theirs.advice) from None
        return "installed from its index"
    calls.with_payload(
        wheels.blocks(),
        INSTALL_TIMEOUT_S,
        environment.install,
        working_dir=working_dir,
        fingerprint=fingerprint,
        interpreter=facts["interpreter"],
        wheels_bytes=wheels.size,
    )
    return "installed"


def _start_redis(
    fleet: Fleet, redis: FleetRedis, homes: Homes, installed: dict[Host, _Installed | HostFailure]
) -> str | HostFailure:
    """What was done about Redis (nothing, when it is elsewhere), or why there is none."""
    main = fleet.main
    if not redis.on_main or main is None:
        return ""
    if main in homes.failures:
        return homes.failures[main]
    ready = installed[homes.keeper[main]]
    if isinstance(ready, HostFailure):
        return ready

    def start(_: Host, calls: RemoteCalls) -> str:
        address = calls.call(machine.describe)["address"]
        return calls.call(
            redis_server.start,
            working_dir=fleet.working_dir,
            host=redis.host,
            address=address,
            port=redis.port,
            user=redis.user,
            password=str(redis.password),
            kinds=list(KINDS),
            away=any(host != main and not is_loopback(host.address) for host in fleet.listed),
        )

    return fleet.each(start, [main])[main]


def _finish(
    calls: RemoteCalls,
    fleet: Fleet,
    host: Host,
    homes: Homes,
    installed: dict[Host, _Installed | HostFailure],
    redis: FleetRedis,
    redis_state: str | HostFailure,
) -> Provided:
    """Check, on each host, that what was installed runs and that it reaches Redis."""
    keeper = homes.keeper[host]
    done = installed[keeper]
    if isinstance(done, HostFailure):
        reason = done.reason if keeper == host else f"its home is kept by {keeper}: {done.reason}"
        raise HostFailure(reason, done.advice)
    if isinstance(redis_state, HostFailure):
        raise HostFailure(f"installed, but there is no Redis: {redis_state.reason}", redis_state.advice)
    if host != keeper:
        calls.call(
            project.check, working_dir=fleet.working_dir, version=done.version, fingerprint=done.fingerprint
        )
    took_s = check_redis(calls, redis)
    state = f"{redis_state}, " if redis.on_main and host == fleet.main else ""
    return Provided(
        homes.describe(host), done.project, done.environment, f"{state}reached in {took_s * 1000:.1f} ms"
    )


def check_redis(calls: RemoteCalls, redis: FleetRedis) -> float:
    """Seconds from the host to Redis and back. Raises `HostFailure`."""
    return calls.call(
        reach.ask_redis,
        host=redis.host,
        port=redis.port,
        user=redis.user,
        password=str(redis.password),
        tls=redis.tls,
        authority=redis.authority,
        advice=redis.advice,
    )
