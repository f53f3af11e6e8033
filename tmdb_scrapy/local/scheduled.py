"""When the daily update runs that `scrapy schedule` installed here: what this machine itself can tell."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

from tmdb_scrapy.local.schedule import (
    CRON_WINDOW,
    NAME,
    WINDOW,
    ScheduleError,
    crontab,
    is_line_of,
    works_in,
)

LONGEST_ANSWER_S = 5.0
"""A systemd that has not told by then whether the timer runs is not waited for."""
_KINDS = re.compile(r"-m scrapy update ([a-z][a-z ]*[a-z])")


def scheduled(directory: Path, units: Path) -> dict[str, str]:
    """When the update of each kind runs that is installed for a directory, for people; empty where none is.

    `units`: where this user's units of systemd lie. A schedule that somebody wrote by hand, or on another
    machine, is not known here.
    """
    return _by_systemd(directory, units / f"{NAME}.service") or _by_cron(directory)


def _by_systemd(directory: Path, service: Path) -> dict[str, str]:
    try:
        text = service.read_text(encoding="utf-8")
    except OSError:
        return {}
    if works_in(directory) not in text.splitlines():
        return {}  # there is one timer a user, and it is another directory's
    state = _state(f"{NAME}.timer")
    when = f"daily, {WINDOW}" if state == "active" else f"installed; its timer: {state or 'not known'}"
    return dict.fromkeys(_kinds(text), when)


def _state(timer: str) -> str:
    """In systemd's word; empty when it cannot be asked, as from outside of a session."""
    command = ["systemctl", "--user", "is-active", timer]
    try:
        return subprocess.run(
            command, capture_output=True, text=True, timeout=LONGEST_ANSWER_S, check=False
        ).stdout.strip()
    except (OSError, subprocess.TimeoutExpired):
        return ""


def _by_cron(directory: Path) -> dict[str, str]:
    if not shutil.which("crontab"):
        return {}
    try:
        lines = crontab().splitlines()
    except (ScheduleError, OSError):
        return {}
    line = next((line for line in lines if is_line_of(directory, line)), "")
    return dict.fromkeys(_kinds(line), f"daily, {CRON_WINDOW}")


def _kinds(text: str) -> list[str]:
    found = _KINDS.search(text)
    return found[1].split() if found else []
