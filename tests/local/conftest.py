"""Programs of the system's names, put on the PATH, that write down what they are told."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest


@pytest.fixture
def program(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str, str], Path]:
    """Puts a program of that name and text, which uses a file, on the PATH; returns the file."""
    folder = tmp_path / "bin"
    folder.mkdir()
    monkeypatch.setenv("PATH", f"{folder}:/usr/bin:/bin")

    def put(name: str, text: str) -> Path:
        used = tmp_path / f"{name}.used"
        (folder / name).write_text(text.format(file=used))
        (folder / name).chmod(0o755)
        return used

    return put
