"""Environments of processes under test."""

from __future__ import annotations

import os
import sys
from pathlib import Path


def bare_environment(home: Path) -> dict[str, str]:
    """Nothing of whoever runs the tests, but this Python's own programs."""
    return {
        "PATH": os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]]),
        "HOME": str(home),
        "LANG": "C.UTF-8",
        "SCRAPY_SETTINGS_MODULE": "tmdb_scrapy.settings",
    }
