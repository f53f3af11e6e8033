"""What went wrong on a host, in words that say what to do next.

Errors of the SSH library are translated here, once.
"""

from __future__ import annotations

import errno
import socket

from paramiko.ssh_exception import (
    AuthenticationException,
    ChannelException,
    NoValidConnectionsError,
    SSHException,
)

from deploy.ssh.host_keys import RefusedHostKey
from deploy.ssh.hosts import Host
from tmdb_scrapy.open_files import ADVICE, is_out_of_files

OF_A_DISK = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EROFS, errno.EIO}


class HostFailure(Exception):
    """A command failed on one host; the others went on.

    `advice` is the next step, such as a command to type; it may be empty.
    """

    def __init__(self, reason: str, advice: str = "") -> None:
        super().__init__(reason)
        self.reason = reason
        self.advice = advice


class FleetError(Exception):
    """A command cannot begin, or cannot end well, for a reason that is not one host's."""


def translate(error: Exception, host: Host) -> HostFailure:
    """`error`, raised while working on `host`, as a failure to report."""
    if isinstance(error, HostFailure):
        return error
    if isinstance(error, RefusedHostKey):
        return HostFailure(str(error), error.advice)
    failure = _of_this_machine(error) or _of_connection(error, host)
    failure.__cause__ = error
    return failure


def _of_this_machine(error: Exception) -> HostFailure | None:
    """What a file here, not the connection, is to blame for: such an error has a file's name, or speaks of a
    disk."""
    if not isinstance(error, OSError) or isinstance(error, TimeoutError):
        return None
    if is_out_of_files(error):
        return HostFailure(f"on this machine: {error}", ADVICE)
    if error.errno in OF_A_DISK:
        return HostFailure(f"on this machine: {error}", "free some space here, then run the same command")
    if error.filename is not None:
        return HostFailure(f"on this machine: {error}", "see to that file here, then run the same command")
    return None


def _of_connection(error: Exception, host: Host) -> HostFailure:
    ssh = " ".join(["ssh", *(["-p", str(host.port)] if host.port else []), host.destination])
    if isinstance(error, AuthenticationException):
        return HostFailure(f"it refused to let us in: {error}", f"check REMOTE_USER and your key: {ssh}")
    if isinstance(error, socket.gaierror):
        return HostFailure(f"no such host name: {error.strerror or error}", "correct the name in ips.txt")
    if isinstance(error, TimeoutError):
        return HostFailure("no answer in time", f"is it switched on and on the network? try: {ssh}")
    if isinstance(error, NoValidConnectionsError | ConnectionRefusedError):
        return HostFailure(f"connection refused: {error}", f"is sshd running on that port? try: {ssh}")
    if isinstance(error, ChannelException):
        return HostFailure(f"sshd opened no session: {error.text}", f"see its log; try: {ssh}")
    if isinstance(error, SSHException | EOFError):
        return HostFailure(f"SSH failed: {error or 'connection closed'}", f"try: {ssh}")
    if isinstance(error, OSError):
        return HostFailure(f"no connection: {error}", f"try: {ssh}")
    return HostFailure(f"{type(error).__name__}: {error}", "this is a bug in deploy")
