"""The soak itself works: one short crawl of it."""

from __future__ import annotations

import random
from collections.abc import Callable
from pathlib import Path

import pytest
import soak

MOVIES = 300


@pytest.mark.slow
def test_a_crawl_of_the_soak_is_struck_and_exact(
    tmp_path: Path, chance_for: Callable[[str], random.Random], figures: Callable[[str], None]
) -> None:
    ids, twice, struck = soak.one_crawl(tmp_path / "crawl", chance_for("soak"), MOVIES)
    figures(f"soak: {ids} IDs exact, {twice} fetched twice, struck by {', '.join(sorted(struck))}")
    assert ids == MOVIES
    assert struck
