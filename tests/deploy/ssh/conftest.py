"""An SSH configuration of one's own. `ssh` looks for it in the home that passwd names, whatever HOME is."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest
from needs import needs


@pytest.fixture
def ssh_config(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The user's, empty; `ssh` is told where it is."""
    ssh = shutil.which("ssh")
    needs("" if ssh else "needs ssh: apt install openssh-client")
    config = tmp_path / ".ssh" / "config"
    config.parent.mkdir()
    config.touch()
    told = tmp_path / "bin" / "ssh"
    told.parent.mkdir()
    told.write_text(f'#!/bin/sh\nexec {ssh} -F {config} "$@"\n')
    told.chmod(0o755)
    monkeypatch.setenv("PATH", f"{told.parent}{os.pathsep}{os.environ['PATH']}")
    return config
