"""Killed with -9 at any moment, a merge leaves the old file or the new one, and the next one goes on."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from movie_records import KIND, Records

from tmdb_scrapy.records.merge import merge
from tmdb_scrapy.records.merged import find_line

MERGE_AND_DIE = """
import os, signal, sys
from pathlib import Path
from tmdb_scrapy.kinds import KINDS
from tmdb_scrapy.records.merge import merge

countdown = int(sys.argv[2])

def counted(event, arguments):
    # Each opened, renamed or removed file: all moments at which the disk can tell old from new.
    global countdown
    if event in ("open", "os.rename", "os.remove") and sys.argv[1] in str(arguments[0]):
        countdown -= 1
        if countdown == 0:
            os.kill(os.getpid(), signal.SIGKILL)

sys.addaudithook(counted)
merge(Path(sys.argv[1]), KINDS["movies"], b"\\0kkkdk", lambda *_: None)
"""
OLD = {1: "one", 2: "two", 4: "four"}
NEW = {1: "one", 2: "newer", 5: "five"}


def killed_at(records: Records, moment: int) -> bool:
    """Whether a merge that was to be killed at that moment lived so long."""
    command = [sys.executable, "-c", MERGE_AND_DIE, str(records.data_dir), str(moment)]
    code = subprocess.run(command, check=False).returncode
    assert code in (0, -signal.SIGKILL)
    return code != 0


@pytest.mark.slow
def test_killed_at_every_step(records: Records) -> None:
    records.part("a", (1, 100, "one"), (2, 100, "two"), (4, 100, "four"))
    records.merge("kkqk")
    files = [records.file, records.index, records.data_dir / "movies.changes.jsonl"]
    before = {path: (path.read_bytes(), path.stat().st_mtime_ns) for path in files}
    records.part("b", (2, 200, "newer"), (5, 200, "five"))
    moment, seen = 1, []
    while killed_at(records, moment):
        seen.append(records.titles())
        assert seen[-1] in (OLD, NEW), moment
        for tmdb_id, title in seen[-1].items():
            assert find_line(records.file, tmdb_id) == records.line(tmdb_id, title)
        merge(records.data_dir, KIND, b"\0kkkdk", lambda *_: None)
        assert records.titles() == NEW
        for path, (content, mtime_ns) in before.items():
            path.write_bytes(content)
            os.utime(path, ns=(mtime_ns, mtime_ns))
        moment += 1
    assert OLD in seen
    assert NEW in seen
    assert not list(Path(records.data_dir).rglob("*.partial"))
