"""What is installed, and taken back."""

from __future__ import annotations

import shlex
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tmdb_scrapy.local import schedule
from tmdb_scrapy.local.schedule import Job, ScheduleError

CRONTAB = """#!/bin/sh
case "$1" in
-l) if [ -s "{file}" ]; then cat "{file}"; else echo "no crontab for me" >&2; exit 1; fi ;;
-) cat > "{file}" ;;
esac
"""
SYSTEMCTL = '#!/bin/sh\necho "$@" >> "{file}"\n'


@pytest.fixture
def job(tmp_path: Path) -> Job:
    """In a directory whose name every one of the formats has to quote."""
    directory = tmp_path / '100% of $HOME\'s "data"'
    directory.mkdir()
    return Job(["movies", "people"], directory, directory / "update.log")


def test_the_timer_runs_daily_after_the_export_is_there_and_makes_up_for_a_sleep(job: Job) -> None:
    lines = job.timer.splitlines()
    assert "OnCalendar=*-*-* 08:30:00 UTC" in lines and "Persistent=true" in lines
    assert any(line.startswith("RandomizedDelaySec=") for line in lines)


@pytest.mark.skipif(not shutil.which("systemd-analyze"), reason="no systemd here")
def test_systemd_finds_no_fault_with_the_units(job: Job, tmp_path: Path) -> None:
    for suffix, text in (("service", job.service), ("timer", job.timer)):
        (tmp_path / f"{schedule.NAME}.{suffix}").write_text(text)
    units = [str(tmp_path / f"{schedule.NAME}.{suffix}") for suffix in ("service", "timer")]
    checked = subprocess.run(
        ["systemd-analyze", "verify", "--user", "--man=no", *units],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert schedule.NAME not in checked.stderr, checked.stderr


def test_both_units_are_installed_and_removed(
    job: Job, program: Callable[[str, str], Path], tmp_path: Path
) -> None:
    said, units = program("systemctl", SYSTEMCTL), tmp_path / "units"
    assert schedule.has_systemd()
    assert "list-timers" in schedule.install_timer(job, units)[0]
    assert {unit.name for unit in units.iterdir()} == {"tmdb-update.service", "tmdb-update.timer"}
    assert "--user enable --now tmdb-update.timer" in said.read_text()
    assert schedule.remove_timer(units) and not schedule.remove_timer(units)
    assert not list(units.iterdir()) and "--user disable --now" in said.read_text()


def test_what_systemd_refuses_is_told_in_its_words(
    job: Job, program: Callable[[str, str], Path], tmp_path: Path
) -> None:
    program("systemctl", '#!/bin/sh\n[ "$2" = show-environment ] || {{ echo "no bus" >&2; exit 1; }}\n')
    with pytest.raises(ScheduleError, match="daemon-reload failed: no bus"):
        schedule.install_timer(job, tmp_path / "units")


def test_a_cron_line_comes_once_and_goes_without_what_others_put_there(
    job: Job, program: Callable[[str, str], Path]
) -> None:
    crontab = program("crontab", CRONTAB)
    crontab.write_text("0 1 * * * backup")
    for _ in range(2):
        schedule.install_cron(job)
    assert crontab.read_text() == f"0 1 * * * backup\n{job.cron_line}\n"
    assert schedule.remove_cron(job) and not schedule.remove_cron(job)
    assert crontab.read_text() == "0 1 * * * backup\n"


@pytest.mark.parametrize(("hour", "runs"), [("08", True), ("09", False)])
def test_the_cron_line_runs_the_update_in_its_directory_in_the_right_hour_of_utc_alone(
    job: Job, program: Callable[[str, str], Path], hour: str, runs: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    program("date", f"#!/bin/sh\necho {hour}\n")
    ran = program("python of ours", '#!/bin/sh\necho "$PWD" "$@" > "{file}"\n')
    monkeypatch.setattr(sys, "executable", str(ran.with_name("bin") / "python of ours"))
    command = job.cron_line.split(" ", 5)[5].replace("\\%", "%")
    assert "%" not in job.cron_line.replace("\\%", "")
    subprocess.run(["/bin/sh", "-c", command], check=False)
    assert ran.exists() == runs
    if runs:
        assert ran.read_text() == f"{job.directory} -m scrapy update movies people\n"


def test_where_there_is_neither_the_way_out_is_said(job: Job, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/nowhere")
    assert not schedule.has_systemd()
    with pytest.raises(ScheduleError, match="make update"):
        schedule.install_cron(job)


def test_the_command_prints_and_installs_nothing_unless_it_is_told_to(
    tmp_path: Path, environment: dict[str, str], program: Callable[[str, str], Path]
) -> None:
    crontab = program("crontab", CRONTAB)
    bin_only = environment | {
        "PATH": f"{crontab.parent / 'bin'}:/usr/bin:/bin",
        "XDG_RUNTIME_DIR": "/nowhere",
    }
    bin_only["DBUS_SESSION_BUS_ADDRESS"] = "unix:path=/nowhere/bus"

    def scrapy(*arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", "scrapy", "schedule", *arguments], env=bin_only | {"PYTHONPATH": ""},
            cwd=tmp_path, capture_output=True, text=True, check=False,
        )  # fmt: skip

    (tmp_path / "scrapy.cfg").write_text("[settings]\ndefault = tmdb_scrapy.settings\n")
    printed = scrapy("movies")
    assert printed.returncode == 0 and "make schedule INSTALL=1" in printed.stdout, printed
    assert shlex.join([sys.executable, "-m", "scrapy", "update", "movies"]) in printed.stdout
    assert not crontab.exists()
    assert scrapy("--install").returncode == 0 and crontab.read_text().count("update movies") == 1
    assert scrapy("--remove").returncode == 0 and "update" not in crontab.read_text()
