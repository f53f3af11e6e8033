"""Host keys are checked against known_hosts: unknown ones are refused unless the user trusts new ones,
changed ones are refused always."""

from __future__ import annotations

import re
import shlex
import threading
from collections.abc import Iterable
from pathlib import Path

from paramiko import MissingHostKeyPolicy, PKey, SSHClient
from paramiko.config import SSHConfigDict

DEFAULT_USER_FILES = "~/.ssh/known_hosts ~/.ssh/known_hosts2"
DEFAULT_GLOBAL_FILES = "/etc/ssh/ssh_known_hosts /etc/ssh/ssh_known_hosts2"
KEYSCAN_TYPES = {"ssh-ed25519": "ed25519", "ssh-rsa": "rsa"}


class RefusedHostKey(Exception):
    """A host key that is not trusted; `advice` is the command that makes it so."""

    def __init__(self, reason: str, advice: str) -> None:
        super().__init__(reason)
        self.advice = advice


class KnownHosts:
    """The user's known_hosts files, shared by all connections of a run."""

    def __init__(self, user_files: Iterable[Path], global_files: Iterable[Path]) -> None:
        self.user_files = list(user_files)
        self.files = [*self.user_files, *global_files]
        self._writing = threading.Lock()

    @classmethod
    def of(cls, ssh_config: SSHConfigDict) -> KnownHosts:
        """The files that an SSH configuration names, or OpenSSH's usual ones."""
        user = ssh_config.get("userknownhostsfile", DEFAULT_USER_FILES)
        everywhere = ssh_config.get("globalknownhostsfile", DEFAULT_GLOBAL_FILES)
        return cls(_paths(user), _paths(everywhere))

    def load_into(self, client: SSHClient) -> None:
        """Have `client` verify against these files. Raises `RefusedHostKey` for a file that is there but
        cannot be read, because its absence would make a changed key look new."""
        for file in self.files:
            if file.is_file():
                try:
                    client.load_system_host_keys(str(file))
                except OSError as error:
                    raise RefusedHostKey(
                        f"{file} cannot be read: {error}", f"make it readable: {file}"
                    ) from None

    def is_revoked(self, key: PKey) -> bool:
        """Whether an `@revoked` line, which the SSH library overlooks, names this key."""
        encoded = key.get_base64()
        return any(
            line.startswith("@revoked ") and encoded in line.split()
            for file in self.files
            if file.is_file()
            for line in file.read_text(encoding="utf-8", errors="replace").splitlines()
        )

    def add(self, name: str, key: PKey) -> None:
        """Remember a key that the user chose to trust."""
        file = self.user_files[0]
        with self._writing:
            file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            before = file.read_bytes() if file.exists() else b""
            with file.open("ab") as known:
                known.write(b"" if before.endswith(b"\n") or not before else b"\n")
                known.write(f"{name} {key.get_name()} {key.get_base64()}\n".encode())


class StrictPolicy(MissingHostKeyPolicy):
    """What to do about a host that known_hosts does not name; changed keys the SSH library refuses."""

    def __init__(self, known_hosts: KnownHosts, trust_new: bool) -> None:
        self.known_hosts = known_hosts
        self.trust_new = trust_new

    def missing_host_key(self, client: SSHClient, hostname: str, key: PKey) -> None:
        """Record the key, or raise `RefusedHostKey`."""
        if self.known_hosts.is_revoked(key):
            raise RefusedHostKey("its host key is marked @revoked in known_hosts", "do not connect to it")
        if not self.trust_new:
            raise RefusedHostKey(
                f"its host key is unknown: {key.get_name()} {key.fingerprint}",
                unknown_key_advice(hostname, key.get_name(), self.known_hosts.user_files[0]),
            )
        self.known_hosts.add(hostname, key)


def unknown_key_advice(known_as: str, key_type: str, file: Path) -> str:
    """The command that adds the key of a host, which known_hosts would call `known_as`."""
    bracketed = re.fullmatch(r"\[(.+)\]:(\d+)", known_as)
    address, port = (bracketed[1], ["-p", bracketed[2]]) if bracketed else (known_as, [])
    short = KEYSCAN_TYPES.get(key_type, "ecdsa")
    command = shlex.join(["ssh-keyscan", *port, "-t", short, address])
    return (
        f"if that fingerprint is right: {command} >> {shlex.quote(str(file))}"
        "   (or SSH_TRUST_NEW=1 to accept all new hosts)"
    )


def changed_key_advice(known_as: str) -> str:
    """What to do about a changed key."""
    return (
        "somebody may be in between, or the machine was reinstalled; if you know that it was: "
        f"{shlex.join(['ssh-keygen', '-R', known_as])}, then add its new key"
    )


def _paths(listed: str) -> list[Path]:
    return [Path(name).expanduser() for name in shlex.split(listed) if name != "none"] or [Path("/dev/null")]
