"""A small world of its own for a program under test: a network namespace where a host has a dead address."""

from __future__ import annotations

import os
import shlex
import shutil
import subprocess
from pathlib import Path

HOST = "api.test"
GOOD = {4: "10.88.0.1", 6: "fd88::1"}
"""Addresses of this machine."""
DEAD = {4: "10.99.0.1", 6: "fd99::1"}
"""A route leads to them, and nobody answers."""
_SETUP = """
set -e
ip link set lo up
ip address add 10.88.0.1/32 dev lo
ip -6 address add fd88::1/128 dev lo nodad
ip link add dead type veth peer name hole
ip link set dead up
ip link set hole up
ip address add 10.99.0.2/24 dev dead
ip -6 address add fd99::2/64 dev dead nodad
# Else the system would ask who is there, and find out.
ip link set dead arp off
mount --bind {hosts} /etc/hosts
exec "$@"
"""


def why_impossible() -> str:
    """The reason why such a world cannot be made here; empty when it can."""
    if os.geteuid() != 0:
        return "needs root to make network namespaces"
    if shutil.which("ip") is None:
        return "needs ip: apt install iproute2"
    making = "ip link add one type veth peer name other"
    probe = subprocess.run(["unshare", "--net", "--mount", *making.split()], capture_output=True)
    return "" if probe.returncode == 0 else f"namespaces are forbidden here: {probe.stderr.decode().strip()}"


def run_where(addresses: list[str], command: list[str], directory: Path, **environment: str) -> str:
    """What `command` prints in a world where `HOST` has these addresses, in this order."""
    hosts = directory / "hosts"
    hosts.write_text("127.0.0.1 localhost\n" + "".join(f"{address} {HOST}\n" for address in addresses))
    setup = _SETUP.format(hosts=shlex.quote(str(hosts)))
    done = subprocess.run(
        ["unshare", "--net", "--mount", "sh", "-c", setup, "sh", *command],
        env=os.environ | environment, cwd=directory, capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return done.stdout
