"""Addresses that a server on this machine can listen on."""

from __future__ import annotations

import ipaddress
import socket


def meant_here(host: str) -> list[str]:
    """This machine's addresses that `host` means on it; not loopback, as which Debian's /etc/hosts has a
    machine know its own name."""
    try:
        found = socket.getaddrinfo(host, None, type=socket.SOCK_STREAM)
    except OSError:
        return []
    addresses = dict.fromkeys(str(entry[4][0]) for entry in found)
    return [address for address in addresses if not is_loopback(address) and is_of_this_machine(address)]


def is_loopback(address: str) -> bool:
    """Whether an IP address reaches this machine only."""
    return ipaddress.ip_address(address.partition("%")[0]).is_loopback


def is_of_this_machine(address: str) -> bool:
    """Whether this machine has that IP address now: no server starts on one that it had yesterday."""
    try:
        family, type_, _, _, where = socket.getaddrinfo(address, 0, type=socket.SOCK_STREAM)[0]
        with socket.socket(family, type_) as probe:
            probe.bind(where)
    except OSError:
        return False
    return True
