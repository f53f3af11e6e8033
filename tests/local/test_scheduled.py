"""What is installed for a directory is found again; of nothing else is anything said."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from tmdb_scrapy.local.schedule import NAME, Job
from tmdb_scrapy.local.scheduled import scheduled

Program = Callable[[str, str], Path]
NO_CRONTAB = '#!/bin/sh\necho "no crontab for me" >&2; exit 1\n'


@pytest.fixture
def job(tmp_path: Path) -> Job:
    """In a directory whose name every one of the formats has to quote."""
    directory = tmp_path / '100% of $HOME\'s "data"'
    directory.mkdir()
    return Job(["movies", "people"], directory, directory / "update.log")


@pytest.fixture
def units(tmp_path: Path) -> Path:
    (tmp_path / "units").mkdir()
    return tmp_path / "units"


def install(job: Job, units: Path) -> None:
    (units / f"{NAME}.service").write_text(job.service)


@pytest.mark.parametrize(
    ("state", "told"),
    [
        ("echo active", "daily, 08:30 to 09:30 UTC"),
        ("echo inactive; exit 3", "installed; its timer: inactive"),
        ("echo no bus >&2; exit 1", "installed; its timer: not known"),
    ],
)
def test_a_timer_of_this_directory_is_told_as_systemd_has_it(
    job: Job, units: Path, program: Program, state: str, told: str
) -> None:
    asked = program("systemctl", f'#!/bin/sh\necho "$@" >> "{{file}}"\n{state}\n')
    program("crontab", NO_CRONTAB)
    install(job, units)
    assert scheduled(job.directory, units) == {"movies": told, "people": told}
    assert asked.read_text() == f"--user is-active {NAME}.timer\n"


def test_the_timer_of_another_directory_is_not_ours(
    job: Job, units: Path, program: Program, tmp_path: Path
) -> None:
    program("systemctl", "#!/bin/sh\necho active\n")
    program("crontab", NO_CRONTAB)
    install(job, units)
    assert scheduled(tmp_path, units) == {}


def test_a_line_of_cron_is_told_and_only_of_its_directory(
    job: Job, units: Path, program: Program, tmp_path: Path
) -> None:
    lines = program("crontab", '#!/bin/sh\ncat "{file}"\n')
    lines.write_text(f"5 4 * * * cd / && python -m scrapy update tv\n{job.cron_line}\n")
    told = "daily, 08:00 to 09:00 UTC"
    assert scheduled(job.directory, units) == {"movies": told, "people": told}
    assert scheduled(tmp_path, units) == {}


@pytest.mark.parametrize("crontab", [NO_CRONTAB, "#!/bin/sh\necho broken >&2; exit 2\n"])
def test_where_nothing_is_or_can_be_asked_nothing_is_told(
    job: Job, units: Path, program: Program, crontab: str
) -> None:
    program("crontab", crontab)
    assert scheduled(job.directory, units) == {}


def test_a_machine_without_either_tells_nothing(
    job: Job, units: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", "/nowhere")
    assert scheduled(job.directory, units) == {}
