"""How long `launch` takes for 3 and 20 hosts, and how many requests a second 1, 2 and 4 hosts make when the
server allows 50 a second for an address. Run as root: .venv/bin/python tests/fleet/measure.py"""

from __future__ import annotations

import sys
import tempfile
import time
from pathlib import Path

import redis
from controller import Controller
from network import Network, network

from tmdb_scrapy.sandbox.server.process import SandboxProcess

LIMIT_PER_S = 50
WARM_UP_S = 8.0
MEASURED_S = 20.0


def main() -> int:
    """Print the figures."""
    with tempfile.TemporaryDirectory(prefix="fleet-", dir="/dev/shm") as folder:
        directory = Path(folder)
        directory.chmod(0o755)
        for hosts in (3, 20):
            with network(directory / f"launch-{hosts}") as lan:
                print(f"launch on {hosts} hosts: {launch_time_s(lan, directory, hosts):.1f} s", flush=True)
        for hosts in (1, 2, 4):
            with network(directory / f"rate-{hosts}") as lan:
                print(f"{hosts} hosts: {rate_per_s(lan, directory, hosts):.1f} requests/s", flush=True)
    return 0


def launch_time_s(lan: Network, directory: Path, hosts: int) -> float:
    """Seconds of `launch`, of which each worker's own start is the most on a small machine."""
    with SandboxProcess([*lan.https, "--movies", "20000"]) as sandbox:
        controller = prepared(lan, directory, hosts, sandbox, RATE_LIMIT=1)
        before = time.monotonic()
        controller.make("launch")
        took_s = time.monotonic() - before
        controller.make("kill")
        return took_s


def rate_per_s(lan: Network, directory: Path, hosts: int) -> float:
    """Settled IDs a second, once all workers have found the limit."""
    options = [*lan.https, "--movies", "20000", "--limit-per-ip", str(LIMIT_PER_S)]
    with SandboxProcess(options) as sandbox:
        controller = prepared(lan, directory, hosts, sandbox, RATE_LIMIT=0)
        controller.make("launch")
        time.sleep(WARM_UP_S)
        with redis.Redis.from_url(controller.env("REDIS_URL")) as queue:
            before, started = queue.xlen("{movies}:queue"), time.monotonic()
            time.sleep(MEASURED_S)
            rate = (before - queue.xlen("{movies}:queue")) / (time.monotonic() - started)
        controller.make("kill")
        return float(rate)


def prepared(
    lan: Network, directory: Path, hosts: int, sandbox: SandboxProcess, **settings: object
) -> Controller:
    """A fleet after init and seed. Homes are shared, so that init is short."""
    home = lan.shared_home()
    machines = [lan.add(f"host{number}", shared_home=home) for number in range(1, hosts + 1)]
    place = directory / f"controller-of-{lan.directory.name}"
    place.mkdir()
    controller = Controller(place, lan, directory / "cache")
    controller.write_hosts(machine.address for machine in machines)
    controller.write_env(
        REMOTE_USER="fleet",
        REMOTE_HOST=machines[0].address,
        REMOTE_WORKING_DIR="~/tmdb",
        TMDB_API_URL=sandbox.api_url,
        TMDB_EXPORT_URL=sandbox.export_url,
        **settings,
    )
    controller.make("init")
    controller.make("seed")
    return controller


if __name__ == "__main__":
    sys.exit(main())
