"""`ips.txt`: one host a line, checked as a whole before anything is done to any host."""

from __future__ import annotations

import contextlib
import dataclasses
import ipaddress
import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

SSH_PORT = 22
_USER = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.\\+-]{0,63}")
_LABEL = re.compile(r"[A-Za-z0-9_]([A-Za-z0-9_-]{0,61}[A-Za-z0-9_])?")
_SCOPED = re.compile(r"[0-9A-Fa-f:.]+%[A-Za-z0-9_.-]{1,15}")
_FORM = re.compile(
    r"(?:(?P<user>[^@]*)@)?(?:\[(?P<bracketed>[^\[\]]*)\]|(?P<plain>[^:\[\]]*))(?::(?P<port>.*))?"
)
FORMS = "HOST, USER@HOST, HOST:PORT, USER@HOST:PORT; IPv6 addresses as 2001:db8::1 or [2001:db8::1]:PORT"


class HostsError(ValueError):
    """A hosts file cannot be used; `problems` names every bad line."""

    def __init__(self, problems: list[str]) -> None:
        self.problems = problems
        super().__init__("\n".join(problems))


@dataclass(frozen=True, slots=True)
class Host:
    """A machine of the fleet, as its user wrote it."""

    address: str
    """Host name, IPv4 or IPv6 address, or an alias from the SSH configuration, which tells upper from lower
    case; no brackets."""
    user: str | None = None
    """None: REMOTE_USER, or what the SSH configuration says."""
    port: int | None = None
    """None: what the SSH configuration says, or 22."""

    def __str__(self) -> str:
        if self.port is None:
            return self.address
        return f"[{self.address}]:{self.port}" if ":" in self.address else f"{self.address}:{self.port}"

    def as_user(self, name: str) -> Host:
        """With `name` as its user, if its line names none."""
        return dataclasses.replace(self, user=self.user or name or None)

    @property
    def destination(self) -> str:
        """As `ssh` takes it, less the port."""
        return f"{self.user}@{self.address}" if self.user else self.address

    @property
    def known_as(self) -> str:
        """As known_hosts names it."""
        return self.address if self.port in (None, SSH_PORT) else f"[{self.address}]:{self.port}"


def parse_host(text: str) -> Host:
    """One host. Raises `ValueError` saying which part of `text` is wrong."""
    user, address, port = _split(text)
    if user is not None and not _USER.fullmatch(user):
        raise ValueError(f"{user!r} is not a user name")
    if port is not None and not (re.fullmatch(r"[0-9]{1,5}", port) and 1 <= int(port) <= 65535):
        raise ValueError(f"{port!r} is not a port from 1 to 65535")
    return Host(_checked_address(address), user, None if port is None else int(port))


def read_hosts(path: Path) -> list[Host]:
    """The hosts of an `ips.txt`, in its order; blank lines and `# comments` are left out.

    Raises `HostsError` with every bad line at once: what does not parse, and who is there twice.
    """
    try:
        text = path.read_text(encoding="utf-8-sig")
    except FileNotFoundError:
        raise HostsError(
            [f"{path}: no such file; write one host a line into it (see ips.txt.example)"]
        ) from None
    except (OSError, UnicodeDecodeError) as error:
        raise HostsError([f"{path}: cannot be read: {error}"]) from None
    hosts: dict[tuple[str, int], Host] = {}
    lines: dict[tuple[str, int], int] = {}
    problems = []
    for number, line in enumerate(text.splitlines(), start=1):
        written = re.sub(r"(^|\s)#.*", "", line).strip()
        if not written:
            continue
        try:
            host = parse_host(written)
        except ValueError as error:
            problems.append(f"{path}:{number}: {written!r}: {error}")
            continue
        identity = (host.address.lower(), host.port or SSH_PORT)
        if identity in hosts:
            problems.append(f"{path}:{number}: {written!r}: the same machine as line {lines[identity]}")
            continue
        hosts[identity], lines[identity] = host, number
    if not hosts and not problems:
        problems.append(f"{path}: names no host; write one a line")
    if problems:
        raise HostsError(problems)
    return list(hosts.values())


def select(hosts: Iterable[Host], wanted: str) -> list[Host]:
    """Those of `hosts` that `wanted`, a list with commas, names; all when it is empty.

    Raises `HostsError` for a name that is not among them, so that a slip does not pass for "done".
    """
    known = list(hosts)
    names = [name.strip() for name in wanted.split(",") if name.strip()]
    if not names:
        return known
    answers = {host: {str(host).lower(), host.address.lower(), host.destination.lower()} for host in known}
    answering = set[str]().union(*answers.values())
    unknown = [name for name in names if name.lower() not in answering]
    if unknown:
        raise HostsError([f"{name!r} is not in the list of hosts" for name in unknown])
    lowered = {name.lower() for name in names}
    return [host for host in known if answers[host] & lowered]


def _split(text: str) -> tuple[str | None, str, str | None]:
    user, at, rest = text.rpartition("@")
    try:
        ipaddress.IPv6Address(rest)
    except ValueError:
        pass
    else:
        return (user if at else None), rest, None
    form = _FORM.fullmatch(text)
    if form is None:
        raise ValueError(f"is none of: {FORMS}")
    address = form["bracketed"] if form["bracketed"] is not None else form["plain"]
    return form["user"], address, form["port"]


def _checked_address(address: str) -> str:
    # A scope, as in fe80::1%eth0, may be anything to Python.
    if "%" not in address or _SCOPED.fullmatch(address):
        with contextlib.suppress(ValueError):
            return str(ipaddress.ip_address(address))
    name = address.removesuffix(".")
    labels = name.split(".")
    looks_numeric = re.fullmatch(r"[0-9.]+", name) is not None
    if (
        not address
        or len(name) > 253
        or looks_numeric
        or not all(_LABEL.fullmatch(label) for label in labels)
    ):
        raise ValueError(f"{address!r} is not a host name or IP address; a line is one of: {FORMS}")
    return name
