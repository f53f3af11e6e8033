"""`make setup` on systems where the program could not run."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
LACKING = {
    "fdatasync, as macOS": "del os.fdatasync",
    "sched_getaffinity, as macOS": "del os.sched_getaffinity",
    "/proc, as macOS": "os.path.exists = lambda path: False",
}


@pytest.mark.parametrize("change", LACKING.values(), ids=LACKING.keys())
def test_a_system_that_lacks_something_is_refused_with_one_sentence(change: str, tmp_path: Path) -> None:
    python = tmp_path / "python3"
    python.write_text(
        f"#!/bin/sh\nexec {sys.executable} -c 'import os, sys; {change}; exec(sys.argv[2])' \"$@\"\n"
    )
    python.chmod(0o755)
    ended = subprocess.run(
        ["make", "--no-print-directory", "setup", f"PYTHON={python}", f"VENV_DIR={tmp_path / 'venv'}"],
        cwd=ROOT, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert ended.returncode != 0
    said = [line for line in ended.stderr.splitlines() if not line.startswith("make")]
    assert len(said) == 1 and said[0].startswith("GNU/Linux is needed"), ended.stderr
    assert not (tmp_path / "venv").exists()
