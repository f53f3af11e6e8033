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
    survived = soak.one_crawl(tmp_path / "crawl", chance_for("soak"), MOVIES)
    struck = ", ".join(sorted(survived.struck))
    figures(f"soak: {survived.ids} IDs exact, {survived.twice} fetched twice, struck by {struck}")
    assert (survived.ids, survived.lost) == (MOVIES, 0)
    assert struck
