"""tmdb_scrapy.records.stretches: what stays when lines are taken out, and where it lies then."""

from __future__ import annotations

import random

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from tmdb_scrapy.records.stretches import Stretches


@given(st.lists(st.tuples(st.integers(1, 9), st.booleans())), st.randoms(use_true_random=False))
def test_what_stays(lines: list[tuple[int, bool]], chance: random.Random) -> None:
    """`lines` of a file: how long each is, and whether it stays."""
    ends = np.cumsum([length for length, _ in lines], dtype=np.uint64)
    starts = ends - np.array([length for length, _ in lines], np.uint64)
    out = [n for n, (_, stays) in enumerate(lines) if not stays]
    stay = [n for n, (_, stays) in enumerate(lines) if stays]
    chance.shuffle(out)
    size = int(ends[-1]) if lines else 0
    stretches = Stretches(size, starts[out], (ends - starts)[out])
    left = [offset for start, end in stretches.left() for offset in range(start, end)]
    assert left == [offset for n in stay for offset in range(int(starts[n]), int(ends[n]))]
    assert bool(stretches) == bool(out)
    moved = starts[stay] - stretches.taken_before(starts[stay])
    assert [left[at] for at in moved.tolist()] == starts[stay].tolist()


def test_neighbours_that_stay_are_one_stretch() -> None:
    stretches = Stretches(50, np.array([30, 10], np.uint64), np.array([10, 10], np.uint32))
    assert list(stretches.left()) == [(0, 10), (20, 30), (40, 50)]
