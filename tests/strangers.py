"""Another user of this machine, for tests of what he can do."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from needs import needs

NOBODY = 65534
_DROP = f"import os; os.setgroups([]); os.setgid({NOBODY}); os.setuid({NOBODY})"


def as_nobody(program: str, *arguments: str, imports: str = "") -> str:
    """What a Python program prints that runs as the user `nobody`, after `imports` were made as root: the
    interpreter may lie where nobody may not look. Skips, or fails, the test where that cannot be."""
    needs("" if os.geteuid() == 0 else "another user to be (this needs root)")
    ended = subprocess.run(
        [sys.executable, "-c", f"{imports}\n{_DROP}\n{program}", *arguments],
        capture_output=True, text=True, check=False, cwd="/", timeout=60,
        env={"PYTHONPATH": str(Path(__file__).parents[1]), "PATH": os.defpath},
    )  # fmt: skip
    assert ended.returncode == 0, ended.stderr
    return ended.stdout
