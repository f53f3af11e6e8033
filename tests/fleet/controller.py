"""The user's own machine: a home with an SSH key and known_hosts, a directory with the project, `.env` and
`ips.txt`, and the commands as the user types them."""

from __future__ import annotations

import os
import secrets
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path

from network import Network

PROJECT = Path(__file__).resolve().parents[2]
API_KEY = secrets.token_hex(16)
"""Nobody else's: whoever searches the machine for it finds only what the fleet let out."""
TIMEOUT_S = 400.0


class Controller:
    """Runs make and scrapy in `directory`."""

    def __init__(self, directory: Path, lan: Network, wheel_cache: Path) -> None:
        self.directory = directory
        self.home = directory / "home"
        ssh = self.home / ".ssh"
        ssh.mkdir(parents=True, mode=0o700)
        self.known_hosts = ssh / "known_hosts"
        self.known_hosts.write_text(lan.known_hosts())
        self.ssh_config = ssh / "config"
        self.ssh_config.write_text(
            f"Host *\n    IdentityFile {lan.key}\n    IdentitiesOnly yes\n"
            f"    UserKnownHostsFile {self.known_hosts}\n"
        )
        self._tell_ssh(directory / "bin" / "ssh")
        self._check_out()
        self.env_file = directory / ".env"
        self.ips_file = directory / "ips.txt"
        self.environment = {
            "PATH": os.pathsep.join(
                [str(directory / "bin"), str(Path(sys.executable).parent), os.environ["PATH"]]
            ),
            "HOME": str(self.home),
            "LANG": "C.UTF-8",
            "COLUMNS": "200",
            "SSL_CERT_FILE": str(lan.authorities),
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

    def make(self, target: str, *, ok: bool = True, **variables: str) -> str:
        """`make TARGET VARIABLE=…`: what it printed."""
        return self.run(*_make(target, variables), ok=ok)

    def interrupt(self, target: str, after: str, **variables: str) -> str:
        """`make TARGET`, and ^C once it has printed `after`. make itself then says Interrupt."""
        with subprocess.Popen(
            _make(target, variables),
            cwd=self.directory,
            env=self.environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            process_group=0,
        ) as running:
            said = ""
            while after not in said:
                line = running.stdout.readline()
                assert line, f"{target} ended without {after!r}:\n{said}"
                said += line
            os.killpg(running.pid, signal.SIGINT)  # as the terminal does
            return said + running.communicate(timeout=TIMEOUT_S)[0]

    def scrapy(self, *arguments: str, ok: bool = True, **environment: str) -> str:
        """A scrapy command of the project."""
        return self.run("scrapy", *arguments, ok=ok, **environment)

    def _tell_ssh(self, program: Path) -> None:
        """`ssh` looks for its configuration in the home that passwd names, whatever HOME is."""
        program.parent.mkdir()
        program.write_text(f'#!/bin/sh\nexec {shutil.which("ssh")} -F {self.ssh_config} "$@"\n')
        program.chmod(0o755)

    def _check_out(self) -> None:
        """The project's Makefile where the user types, and a set-up that make takes for complete."""
        for name in ("Makefile", "deploy"):
            (self.directory / name).symlink_to(PROJECT / name)
        for name in ("pyproject.toml", "constraints.txt"):
            (self.directory / name).touch()
        (self.directory / ".venv").mkdir()
        (self.directory / ".venv" / "bin").symlink_to(Path(sys.executable).parent)
        (self.directory / ".venv" / ".complete").touch()

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


def _make(target: str, variables: dict[str, str]) -> list[str]:
    return ["make", target, *(f"{name}={value}" for name, value in variables.items())]
