"""A daily update by the machine itself: a timer of systemd's for this user, or a line of cron's.

https://www.freedesktop.org/software/systemd/man/latest/systemd.timer.html
"""

from __future__ import annotations

import os
import shlex
import shutil
import subprocess
import sys
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from tmdb_scrapy import privacy

NAME = "tmdb-update"
AT = "08:30"
"""In UTC: TMDb's export of the day is there by 08:00."""
WITHIN_S = 3600
"""So long after it the update begins at the latest: not everybody's at the same second."""
WINDOW = "08:30 to 09:30 UTC"
"""The same for people."""
CRON_HOUR, FIRST_MINUTE = 8, 31
"""The same for cron, at a minute of the directory's own, as the machine's time zone has it."""
CRON_WINDOW = "08:00 to 09:00 UTC"
"""The same for people: some zones are half an hour off."""
NO_CRONTAB = "no crontab for"


class ScheduleError(Exception):
    """A schedule cannot be installed or removed; the text says why, and what to do next."""


@dataclass(frozen=True, slots=True)
class Job:
    """What is to run each day, and where."""

    kinds: Sequence[str]
    directory: Path
    """Where `.env` lies."""
    log: Path

    @property
    def command(self) -> str:
        """For a shell."""
        return shlex.join([sys.executable, "-m", "scrapy", "update", *self.kinds])

    @property
    def service(self) -> str:
        """The unit that runs it. A unit that is still active is not started a second time."""
        return (
            "[Unit]\n"
            "Description=Update of what was collected of TMDb\n"
            "[Service]\n"
            "Type=oneshot\n"
            f"{works_in(self.directory)}\n"
            f"ExecStart=/bin/sh -c {_unit_word(f'exec {self.command}')}\n"
            "KillSignal=SIGINT\n"
            "TimeoutStopSec=90\n"
        )

    @property
    def timer(self) -> str:
        """The unit that says when; a day that was slept through is made up for."""
        return (
            "[Unit]\n"
            "Description=Daily update of what was collected of TMDb\n"
            "[Timer]\n"
            f"OnCalendar=*-*-* {AT}:00 UTC\n"
            "Persistent=true\n"
            f"RandomizedDelaySec={WITHIN_S}\n"
            "[Install]\n"
            "WantedBy=timers.target\n"
        )

    @property
    def cron_line(self) -> str:
        """Cron knows the machine's own time alone: the line runs every hour, and goes on only in the one that
        is right in UTC. The update's own lock lets none run beside another."""
        place, log = shlex.quote(str(self.directory)), shlex.quote(str(self.log))
        text = (
            f'[ "$(date -u +%H)" = {CRON_HOUR:02} ] || exit 0; '
            f"cd {place} && exec {self.command} >>{log} 2>&1 {_mark(self.directory)}"
        )
        minute = FIRST_MINUTE + zlib.crc32(str(self.directory).encode()) % (60 - FIRST_MINUTE)
        return f"{minute} * * * * {_cron_text(text)}"

    def without(self, text: str) -> str:
        """A crontab without this line, whichever kinds it is about."""
        lines = text.splitlines(keepends=True)
        return "".join(line for line in lines if not is_line_of(self.directory, line))


def works_in(directory: Path) -> str:
    """The line of a unit that says where it runs."""
    return f"WorkingDirectory={_unit_text(str(directory))}"


def is_line_of(directory: Path, line: str) -> bool:
    """Whether a line of a crontab is the one that was installed for a directory."""
    return line.rstrip("\n").endswith(_cron_text(_mark(directory)))


def unit_directory(environment: Mapping[str, str] = os.environ) -> Path:
    """Where this user's units of systemd lie."""
    return Path(environment.get("XDG_CONFIG_HOME") or Path.home() / ".config") / "systemd/user"


def has_systemd(environment: Mapping[str, str] = os.environ) -> bool:
    """Whether this user's own units can be used here."""
    if not shutil.which("systemctl"):
        return False
    answer = subprocess.run(
        ["systemctl", "--user", "show-environment"], capture_output=True, env=dict(environment), check=False
    )
    return answer.returncode == 0


def install_timer(job: Job, units: Path) -> list[str]:
    """Write both units and start the timer; returns what the user should know. Raises `ScheduleError`."""
    privacy.open_directory(units)
    privacy.write(units / f"{NAME}.service", job.service.encode())
    privacy.write(units / f"{NAME}.timer", job.timer.encode())
    _run("systemctl", "--user", "daemon-reload")
    _run("systemctl", "--user", "enable", "--now", f"{NAME}.timer")
    return [
        f"installed {units / f'{NAME}.timer'}; when it runs next: systemctl --user list-timers {NAME}.timer",
        f"what it says: journalctl --user -u {NAME}",
        "to have it run while you are logged out: loginctl enable-linger",
    ]


def remove_timer(units: Path) -> bool:
    """Stop the timer and remove both units; False when there were none. Raises `ScheduleError`."""
    files = [units / f"{NAME}.timer", units / f"{NAME}.service"]
    if not any(file.exists() for file in files):
        return False
    _run("systemctl", "--user", "disable", "--now", f"{NAME}.timer")
    for file in files:
        file.unlink(missing_ok=True)
    _run("systemctl", "--user", "daemon-reload")
    return True


def install_cron(job: Job) -> None:
    """Put the line into the user's crontab, in place of an earlier one of this directory. Raises
    `ScheduleError`."""
    others = job.without(crontab())
    ended = "" if not others or others.endswith("\n") else "\n"
    _run("crontab", "-", given=f"{others}{ended}{job.cron_line}\n")


def remove_cron(job: Job) -> bool:
    """Take the line out of the user's crontab; False when it was not there. Raises `ScheduleError`."""
    before = crontab()
    after = job.without(before)
    if after == before:
        return False
    _run("crontab", "-", given=after)
    return True


def crontab() -> str:
    """The user's crontab; empty where there is none. Raises `ScheduleError`."""
    if not shutil.which("crontab"):
        raise ScheduleError(
            "there is neither systemd for users nor crontab here: install cron, or run `make update` daily"
        )
    found = subprocess.run(["crontab", "-l"], capture_output=True, text=True, check=False)
    if found.returncode and NO_CRONTAB not in found.stderr:
        raise ScheduleError(f"crontab -l failed: {found.stderr.strip()}")
    return found.stdout if not found.returncode else ""


def _mark(directory: Path) -> str:
    return f"# {NAME} of {directory}"


def _run(*command: str, given: str | None = None) -> None:
    done = subprocess.run(command, input=given, capture_output=True, text=True, check=False)
    if done.returncode:
        raise ScheduleError(f"{shlex.join(command)} failed: {(done.stderr or done.stdout).strip()}")


def _cron_text(text: str) -> str:
    """As a command of a crontab: a per cent sign ends the line there."""
    return text.replace("%", r"\%")


def _unit_text(text: str) -> str:
    """As a value of a unit: a per cent sign begins something there."""
    return text.replace("%", "%%")


def _unit_word(text: str) -> str:
    """As one word of an ExecStart: a dollar begins a variable there."""
    escaped = text.replace("\\", "\\\\").replace('"', '\\"').replace("$", "$$")
    return f'"{_unit_text(escaped)}"'
