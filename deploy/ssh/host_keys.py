"""Host keys are checked against known_hosts: unknown ones are refused unless the user trusts new ones,
changed and revoked ones are refused always."""

from __future__ import annotations

import os
import re
import shlex
import threading
from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

from paramiko import MissingHostKeyPolicy, PKey, SSHClient
from paramiko.hostkeys import HostKeyEntry, HostKeys
from paramiko.ssh_exception import BadHostKeyException

from deploy.ssh.hosts import Host

KEYSCAN_TYPES = {"ssh-ed25519": "ed25519", "ssh-rsa": "rsa"}
NOWHERE = Path("/dev/null")
"""For those whose configuration says `UserKnownHostsFile none`."""

REVOKED = "@revoked"
HASHED = "|1|"


class RefusedHostKey(Exception):
    """A host key that is not trusted; `advice` is the command that makes it so."""

    def __init__(self, reason: str, advice: str) -> None:
        super().__init__(reason)
        self.advice = advice


class Entry(NamedTuple):
    """A line of known_hosts."""

    patterns: list[str]
    """Names, with `*`, `?` and `!` or hashed (sshd(8), SSH_KNOWN_HOSTS FILE FORMAT)."""
    key: PKey
    file: Path

    def names(self, host: str) -> bool:
        """Whether it is about `host`."""
        refused = any(_matches(pattern[1:], host) for pattern in self.patterns if pattern.startswith("!"))
        return not refused and any(_matches(pattern, host) for pattern in self.patterns)


class KnownHosts:
    """The user's known_hosts files, read once and shared by all connections of a run.

    A line that is damaged, or of a kind that the SSH library has no notion of (`@cert-authority`), makes no
    host known, and keeps none from being known by other lines.
    """

    def __init__(self, user_files: Iterable[Path], global_files: Iterable[Path]) -> None:
        """Raises `RefusedHostKey` for a file that is there but cannot be read, because its absence would
        make a changed key look new."""
        self.user_files = list(user_files) or [NOWHERE]
        self._entries: list[Entry] = []
        self._revoked: set[str] = set()
        self._writing = threading.Lock()
        for file in (*self.user_files, *global_files):
            for line in _lines(file):
                if line.startswith(REVOKED):
                    self._revoked.update(line.split())
                elif entry := _entry(line, file):
                    self._entries.append(entry)

    def keys_of(self, name: str) -> list[PKey]:
        """The keys by which `name` is known, one of each type: the first."""
        known: dict[str, PKey] = {}
        for entry in self._entries:
            if entry.names(name) and not self.is_revoked(entry.key):
                known.setdefault(entry.key.get_name(), entry.key)
        return list(known.values())

    def is_revoked(self, key: PKey) -> bool:
        """Whether an `@revoked` line names this key, of whatever host: the SSH library overlooks those."""
        return key.get_base64() in self._revoked

    def add(self, name: str, key: PKey) -> None:
        """Remember a key that the user chose to trust."""
        file = self.user_files[0]
        with self._writing:
            file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            before = file.read_bytes() if file.exists() else b""
            with os.fdopen(os.open(file, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600), "ab") as known:
                known.write(b"" if before.endswith(b"\n") or not before else b"\n")
                known.write(f"{name} {key.get_name()} {key.get_base64()}\n".encode())
            self._entries.append(Entry([name], key, file))

    def refusal(self, name: str, mismatch: BadHostKeyException) -> RefusedHostKey:
        """The reason and the way out when `name` shows another key than the known one."""
        if self.is_revoked(mismatch.key):
            return revoked_key()
        known = (entry for entry in self._entries if entry.names(name) and not self.is_revoked(entry.key))
        file = next((entry.file for entry in known if entry.key == mismatch.expected_key), self.user_files[0])
        shown, expected = mismatch.key, mismatch.expected_key
        return RefusedHostKey(
            f"its host key has changed: it shows {shown.get_name()} {shown.fingerprint}, and {file} "
            f"has {expected.get_name()} {expected.fingerprint}",
            changed_key_advice(name, file),
        )


class Trust:
    """What a run goes by: each set of known_hosts files, and whether new hosts are accepted."""

    def __init__(self, new_hosts: bool) -> None:
        self.new_hosts = new_hosts
        self._known: dict[tuple[tuple[Path, ...], tuple[Path, ...]], KnownHosts] = {}
        self._reading = threading.Lock()

    def known_hosts(self, user_files: tuple[Path, ...], global_files: tuple[Path, ...]) -> KnownHosts:
        """Those of a host, whose SSH configuration names these files. Raises `RefusedHostKey`."""
        files = (user_files, global_files)
        with self._reading:
            if files not in self._known:
                self._known[files] = KnownHosts(*files)
            return self._known[files]


class StrictPolicy(MissingHostKeyPolicy):
    """What to do about a host that known_hosts does not name; changed keys the SSH library refuses."""

    def __init__(self, known_hosts: KnownHosts, known_as: str, host: Host, trust_new: bool) -> None:
        self.known_hosts = known_hosts
        self.known_as = known_as
        """What known_hosts calls `host`: its HostKeyAlias, if it has one."""
        self.host = host
        self.trust_new = trust_new

    def missing_host_key(self, _: SSHClient, __: str, key: PKey) -> None:
        """Record the key, or raise `RefusedHostKey`."""
        if self.known_hosts.is_revoked(key):
            raise revoked_key()
        if not self.trust_new:
            raise RefusedHostKey(
                f"its host key is unknown: {key.get_name()} {key.fingerprint}",
                unknown_key_advice(self.host, self.known_as, key.get_name(), self.known_hosts.user_files[0]),
            )
        self.known_hosts.add(self.known_as, key)


def revoked_key() -> RefusedHostKey:
    """No way out."""
    return RefusedHostKey("its host key is marked @revoked in known_hosts", "do not connect to it")


def unknown_key_advice(host: Host, known_as: str, key_type: str, file: Path) -> str:
    """The command that adds the key of `host`, which known_hosts would call `known_as`."""
    short = KEYSCAN_TYPES.get(key_type, "ecdsa")
    port = ["-p", str(host.port)] if host.port else []
    command = shlex.join(["ssh-keyscan", *port, "-t", short, host.address])
    if known_as != host.known_as:
        command += f" | sed {shlex.quote(f's/^[^ ]*/{known_as}/')}"
    return (
        f"if that fingerprint is right: {command} >> {shlex.quote(str(file))}"
        "   (or SSH_TRUST_NEW=1 to accept all new hosts)"
    )


def changed_key_advice(known_as: str, file: Path) -> str:
    """What to do about a changed key, the old one being in `file`."""
    elsewhere = [] if file == Path("~/.ssh/known_hosts").expanduser() else ["-f", str(file)]
    return (
        "somebody may be in between, or the machine was reinstalled; if you know that it was: "
        f"{shlex.join(['ssh-keygen', '-R', known_as, *elsewhere])}, then add its new key"
    )


def _lines(file: Path) -> list[str]:
    if not file.is_file():
        return []
    try:
        text = file.read_bytes().decode("utf-8", "replace")
    except OSError as error:
        raise RefusedHostKey(f"{file} cannot be read: {error}", f"make it readable: {file}") from None
    return [line.strip() for line in text.splitlines()]


def _entry(line: str, file: Path) -> Entry | None:
    """None for a comment, a marked line, and one that cannot be understood."""
    if line.startswith(("#", "@")):
        return None
    try:
        read = HostKeyEntry.from_line(" ".join(line.split()[:3]))
        if read is None:
            return None
        entry = Entry(read.hostnames, read.key, file)
        entry.names("")  # a damaged hash shows only now
    except Exception:  # whatever the SSH library and its ciphers raise for damaged text
        return None
    return entry


def _matches(pattern: str, host: str) -> bool:
    if pattern.startswith(HASHED):
        return HostKeys.hash_host(host.lower(), pattern) == pattern
    literal = re.escape(pattern).replace(r"\*", ".*").replace(r"\?", ".")
    return re.fullmatch(literal, host, re.IGNORECASE) is not None
