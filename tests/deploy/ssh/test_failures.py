"""deploy.ssh.failures: what is to blame, and what to do next."""

from __future__ import annotations

import errno
import os
import socket
from pathlib import Path

import pytest
from paramiko.ssh_exception import AuthenticationException, NoValidConnectionsError, SSHException

from deploy.ssh.failures import translate
from deploy.ssh.hosts import Host

HOST = Host("desktop-1", port=2222).as_user("me")


def error_of(number: int, file: str | None = None) -> OSError:
    return OSError(number, os.strerror(number), file)


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        (error_of(errno.ENOSPC), "on this machine: [Errno 28] No space left on device"),
        (
            error_of(errno.EACCES, "data/movies"),
            "on this machine: [Errno 13] Permission denied: 'data/movies'",
        ),
        (error_of(errno.ENETUNREACH), "no connection: [Errno 101] Network is unreachable"),
        (error_of(errno.EACCES), "no connection: [Errno 13] Permission denied"),
    ],
)
def test_a_disk_here_is_told_from_a_network(error: OSError, reason: str) -> None:
    assert translate(error, HOST).reason == reason


@pytest.mark.parametrize(
    "error",
    [
        TimeoutError(),
        ConnectionResetError(errno.ECONNRESET, "Connection reset by peer"),
        NoValidConnectionsError({("10.0.0.1", 2222): ConnectionRefusedError()}),
        AuthenticationException("no"),
        SSHException("no banner"),
        EOFError(),
    ],
)
def test_the_command_to_try_has_the_user_and_the_port(error: Exception) -> None:
    assert "ssh -p 2222 me@desktop-1" in translate(error, HOST).advice


def test_a_name_that_means_nothing_is_told_as_such() -> None:
    assert "no such host name" in translate(socket.gaierror(-2, "Name or service not known"), HOST).reason


def test_the_file_is_named(tmp_path: Path) -> None:
    try:
        (tmp_path / "absent").read_bytes()
    except OSError as error:
        assert str(tmp_path / "absent") in translate(error, HOST).reason
