"""The workers of this machine as one."""

from __future__ import annotations

import stat
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from waiting import wait_until

from tmdb_scrapy.local.workers import Workers

DIES_ONCE_THEN_COMPLAINS = """
import os, pathlib, signal, sys
begun = pathlib.Path("begun")
if not begun.exists():
    begun.touch()
    os.kill(os.getpid(), signal.SIGKILL)
sys.exit("tmdb: the key was refused")
"""


@pytest.fixture
def workers(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[str], Workers]]:
    """Starts one worker that runs a script instead of Scrapy."""
    monkeypatch.chdir(tmp_path)
    started: list[Workers] = []

    def start(script: str) -> Workers:
        package = tmp_path / "scrapy"
        package.mkdir()
        (package / "__init__.py").touch()
        (package / "__main__.py").write_text(script)
        started.append(Workers("movies", 1, tmp_path / "logs"))
        return started[-1]

    yield start
    for each in started:
        each.stop()


def test_the_last_words_are_those_of_the_worker_in_a_killed_ones_place(
    workers: Callable[[str], Workers],
) -> None:
    some = workers(DIES_ONCE_THEN_COMPLAINS)
    wait_until(lambda: not some.running, "the worker is dead")
    assert some.replace_killed() == 1
    wait_until(lambda: not some.running, "its successor has ended")
    assert some.complaints() == ["the key was refused"]


def test_logs_are_their_owners_alone_and_keep_what_an_earlier_job_said(
    workers: Callable[[str], Workers], tmp_path: Path
) -> None:
    log = tmp_path / "logs" / "movies-1.log"
    log.parent.mkdir()
    log.write_text("tmdb: what ended the job before\n")
    log.chmod(0o644)
    some = workers("import sys; print('tmdb: the disk is full', file=sys.stderr); sys.exit(1)")
    wait_until(lambda: not some.running, "it has ended")
    assert some.complaints() == ["the disk is full"]
    assert log.read_text().splitlines() == ["tmdb: what ended the job before", "tmdb: the disk is full"]
    assert stat.S_IMODE(log.stat().st_mode) == 0o600
