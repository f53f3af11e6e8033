"""What the user's SSH configuration says of a host, as `ssh` itself understands it: `ssh -G` is asked.

Only where there is no `ssh` is ssh_config(5) read by the SSH library, which knows less of it.
"""

from __future__ import annotations

import os
import pwd
import shutil
import subprocess
from pathlib import Path

from paramiko import SSHConfig
from paramiko.ssh_exception import SSHException

from deploy.ssh.failures import HostFailure
from deploy.ssh.hosts import Host

FILES = ("~/.ssh/config", "/etc/ssh/ssh_config")
ASK_TIMEOUT_S = 30.0
"""`Match exec` and CanonicalizeHostname make `ssh -G` run programs and ask name servers."""

LAST_LINES = 2

Said = dict[str, list[str]]
"""Keyword of ssh_config(5) in lower case → its values."""


def see(host: Host) -> str:
    """The next step when that is wrong."""
    return f"see {FILES[0]}; try: ssh {host.destination}"


def home() -> str:
    """The user's, as ssh has it, which does not look at HOME."""
    try:
        return pwd.getpwuid(os.getuid()).pw_dir
    except KeyError:
        return str(Path("~").expanduser())


def read(host: Host) -> Said:
    """All that is said of `host`; its user and port win over the configuration's. Raises `HostFailure`."""
    return _said_by_ssh(host) if shutil.which("ssh") else _said_by_library(host)


def _said_by_ssh(host: Host) -> Said:
    user = ["-l", host.user] if host.user else []
    port = ["-p", str(host.port)] if host.port else []
    try:
        asked = subprocess.run(
            ["ssh", "-G", "-T", *user, *port, host.address],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=ASK_TIMEOUT_S,
        )
    except subprocess.TimeoutExpired:
        raise HostFailure(
            f"ssh -G {host.address} does not end", f"a Match exec or a name server hangs; {see(host)}"
        ) from None
    if asked.returncode != 0:
        complaint = asked.stderr.decode("utf-8", "replace").strip().splitlines()[-LAST_LINES:]
        raise HostFailure(f"ssh does not take its configuration: {' / '.join(complaint)}", see(host))
    said: Said = {}
    for line in asked.stdout.decode("utf-8", "surrogateescape").splitlines():
        keyword, _, value = line.partition(" ")
        said.setdefault(keyword.lower(), []).append(value)
    return said


def _said_by_library(host: Host) -> Said:
    config = SSHConfig()
    try:
        for name in FILES:
            if (file := Path(name.replace("~", home()))).is_file():
                with file.open(encoding="utf-8", errors="surrogateescape") as opened:
                    config.parse(opened)
        found = config.lookup(host.address)
    except (SSHException, OSError, ValueError, KeyError) as error:
        raise HostFailure(f"the SSH configuration cannot be read: {error}", see(host)) from None
    said = {
        keyword: [value] if isinstance(value, str) else list(value or ()) for keyword, value in found.items()
    }
    for keyword, ours in (("user", host.user), ("port", host.port)):
        if ours:
            said[keyword] = [str(ours)]
    return said
