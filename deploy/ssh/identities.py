"""The keys that a host is offered, as `ssh` would offer them."""

from __future__ import annotations

import contextlib
import socket
from collections.abc import Iterator
from pathlib import Path

from paramiko import PKey, Transport
from paramiko.agent import AgentKey, AgentSSH
from paramiko.pkey import PublicBlob
from paramiko.ssh_exception import AuthenticationException, SSHException

from deploy.ssh.options import Options


class Identities:
    """What `paramiko.SSHClient.connect` takes as its `auth_strategy`.

    IdentityFile, CertificateFile, IdentityAgent and IdentitiesOnly: first the agent's keys that the
    configuration names, then its others, then files."""

    def __init__(self, options: Options) -> None:
        self.options = options

    def authenticate(self, transport: Transport) -> list[str]:
        """Raises `AuthenticationException` when the host takes none, and what the SSH library raises."""
        offered = []
        for name, key in self._keys() if self.options.pubkey_authentication else ():
            offered.append(name)
            with contextlib.suppress(AuthenticationException):
                still_wanted = transport.auth_publickey(self.options.user, key)
                if not still_wanted:
                    return []
            if not transport.is_active():
                break
        raise AuthenticationException(
            f"user {self.options.user}, {', '.join(offered)}"
            if offered
            else "no key to offer: neither an agent's nor a file's without passphrase"
        )

    def _keys(self) -> Iterator[tuple[str, PKey]]:
        """Each with a name for messages."""
        held = {key.asbytes(): key for key in _agent_keys(self.options.identity_agent)}
        files = {file: _public(file) for file in self.options.identity_files if _is_there(file)}
        named = [public for public in files.values() if public is not None and public in held]
        others = [] if self.options.identities_only else [public for public in held if public not in named]
        for public in (*named, *others):
            yield f"the agent's {held[public].comment or held[public].get_name()}", held[public]
        for file, of_file in files.items():
            if of_file not in held:
                yield from self._of_file(file)

    def _of_file(self, file: Path) -> Iterator[tuple[str, PKey]]:
        """With each of its certificates, then by itself."""
        if _private(file) is None:
            return
        for certificate in (file.with_name(f"{file.name}-cert.pub"), *self.options.certificate_files):
            key = _private(file)
            with contextlib.suppress(OSError, ValueError):
                if key is not None and _is_there(certificate):
                    key.load_certificate(str(certificate))
                    yield str(certificate), key
        if key := _private(file):
            key.public_blob = None
            yield str(file), key


def _agent_keys(path: str) -> list[AgentKey]:
    """None where there is no agent, or one that does not understand us: files may do."""
    agent = AgentSSH()
    connection = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        if path:
            connection.connect(path)
            agent._connect(connection)  # type: ignore[attr-defined]  # as paramiko.Agent, to a socket of ours
    except (OSError, SSHException):
        connection.close()
    return list(agent.get_keys())


def _is_there(file: Path) -> bool:
    return file.is_file() or file.with_name(f"{file.name}.pub").is_file()


def _public(file: Path) -> bytes | None:
    """The public half of a key file, or of one whose private half only the agent has."""
    for candidate in (file, file.with_name(f"{file.name}.pub")):
        with contextlib.suppress(OSError, ValueError):
            return bytes(PublicBlob.from_file(str(candidate)).key_blob)
    key = _private(file)
    return None if key is None else key.asbytes()


def _private(file: Path) -> PKey | None:
    """None for a file that cannot be read, or not without a passphrase."""
    try:
        return PKey.from_path(file)
    except (OSError, ValueError, TypeError, SSHException):
        return None
