"""Where this host's workers listen for the telnet console: asked of the kernel, not of a log."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TypedDict

from deploy.on_host import processes, workspace

LISTENING = "0A"
LOOPBACK_HEX = "0100007F"
CONSOLE_PORTS = range(6023, 6074)
"""Scrapy's default TELNETCONSOLE_PORT."""


class Console(TypedDict):
    """A worker's telnet console."""

    pid: int
    port: int
    password: str


def find(working_dir: str) -> list[Console]:
    """The consoles of this host's workers."""
    ports = _listening_ports()
    found: list[Console] = []
    for worker in processes.workers(workspace.locate(working_dir)):
        for inode in _socket_inodes(worker["pid"]):
            if ports.get(inode) in CONSOLE_PORTS:
                found.append(
                    {"pid": worker["pid"], "port": ports[inode], "password": worker["console_password"]}
                )
    return found


def _listening_ports() -> dict[str, int]:
    """Socket inode to port, for sockets that listen on 127.0.0.1 (proc(5), /proc/net/tcp)."""
    ports = {}
    for line in Path("/proc/net/tcp").read_text().splitlines()[1:]:
        fields = line.split()
        address, _, port = fields[1].partition(":")
        if address == LOOPBACK_HEX and fields[3] == LISTENING:
            ports[fields[9]] = int(port, 16)
    return ports


def _socket_inodes(pid: int) -> list[str]:
    inodes = []
    for link in Path(f"/proc/{pid}/fd").iterdir():
        try:
            target = os.readlink(link)  # noqa: PTH115  (Path.readlink came with Python 3.9)
        except FileNotFoundError:
            continue  # closed since the listing
        if target.startswith("socket:["):
            inodes.append(target[len("socket:[") : -1])
    return inodes
