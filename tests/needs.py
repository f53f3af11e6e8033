"""What a test needs of the machine it runs on."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

REQUIRE_ALL = "CI_REQUIRE_ALL"
"""Environment variable: 1 where nothing may be missing, so that no test is left out unseen."""


def needs(why_missing: str) -> None:
    """Skip the test that calls this if something is missing, or fail it where nothing may be.

    `why_missing` is the reason, empty when nothing is.
    """
    if why_missing and os.environ.get(REQUIRE_ALL) == "1":
        pytest.fail(f"{REQUIRE_ALL}=1, but this test cannot run here: {why_missing}")
    if why_missing:
        pytest.skip(why_missing)


REAL_DATA = Path(__file__).parents[2] / "shared" / "tmdb"
needs_real_data = pytest.mark.skipif(
    not REAL_DATA.is_dir(), reason="optional: needs recorded data of TMDb at ../shared/tmdb, not published"
)
