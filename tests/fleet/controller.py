"""The user's own machine: a home with an SSH key and known_hosts, a directory with `.env` and `ips.txt`, and
the commands as the user types them."""

from __future__ import annotations

import os
import secrets
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path

PROJECT = Path(__file__).resolve().parents[2]
API_KEY = secrets.token_hex(16)
"""Nobody else's: whoever searches the machine for it finds only what the fleet let out."""
TIMEOUT_S = 180.0


class Controller:
    """Runs fab and scrapy in `directory`."""

    def __init__(self, directory: Path, key: Path, known_hosts: str, wheel_cache: Path) -> None:
        self.directory = directory
        self.home = directory / "home"
        ssh = self.home / ".ssh"
        ssh.mkdir(parents=True, mode=0o700)
        self.known_hosts = ssh / "known_hosts"
        self.known_hosts.write_text(known_hosts)
        (ssh / "config").write_text(f"Host *\n    IdentityFile {key}\n    IdentitiesOnly yes\n")
        self.env_file = directory / ".env"
        self.ips_file = directory / "ips.txt"
        self.environment = {
            "PATH": os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]]),
            "HOME": str(self.home),
            "LANG": "C.UTF-8",
            "COLUMNS": "200",
            "XDG_CACHE_HOME": str(wheel_cache),
            "SCRAPY_SETTINGS_MODULE": "tmdb_scrapy.settings",
            **{name: value for name, value in os.environ.items() if name.startswith("PIP_")},
        }

    def write_hosts(self, lines: Iterable[object]) -> None:
        """ips.txt."""
        self.ips_file.write_text("".join(f"{line}\n" for line in lines))

    def write_env(self, **values: object) -> None:
        """.env, with a key; the rest as given."""
        chosen = {"TMDB_API_KEY": API_KEY, **values}
        self.env_file.write_text("".join(f"{key}={value}\n" for key, value in chosen.items()))

    def env(self, key: str) -> str:
        """What .env says now."""
        for line in self.env_file.read_text().splitlines():
            if line.startswith(f"{key}="):
                return line.partition("=")[2]
        return ""

    def fab(self, task: str, *, ok: bool = True, **environment: str) -> str:
        """`make TASK`, less make: what it printed."""
        return self.run("fab", "--search-root", str(PROJECT / "deploy"), task, ok=ok, **environment)

    def scrapy(self, *arguments: str, ok: bool = True, **environment: str) -> str:
        """A scrapy command of the project."""
        return self.run("scrapy", *arguments, ok=ok, **environment)

    def run(self, *command: str, ok: bool = True, **environment: str) -> str:
        """Any command; fails the test when its success is not `ok`."""
        done = subprocess.run(
            command,
            cwd=self.directory,
            env={**self.environment, **environment},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=TIMEOUT_S,
        )
        assert (done.returncode == 0) == ok, f"{command} ended with {done.returncode}:\n{done.stdout}"
        return done.stdout
