"""Deterministic pseudo-random numbers that need no state: the same parts always give the same number.

The whole catalogue and every fault is a function of the seed and an ID, so nothing has to be stored and a
run can be repeated exactly.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from typing import TypeVar

_Item = TypeVar("_Item")
_MASK = (1 << 64) - 1


def mix(*parts: int) -> int:
    """Return 64 well-mixed bits that depend on every part (the finaliser of splitmix64)."""
    state = 0x9E3779B97F4A7C15
    for part in parts:
        state = ((state ^ part) * 0xBF58476D1CE4E5B9) & _MASK
        state ^= state >> 29
    state = (state * 0x94D049BB133111EB) & _MASK
    return state ^ (state >> 31)


def unit(bits: int) -> float:
    """Map 64 bits to a number from 0 (included) to 1 (excluded)."""
    return (bits >> 11) / (1 << 53)


class Draw(random.Random):
    """A stream of draws; these are several times faster than randint, choice and choices."""

    def between(self, low: int, high: int) -> int:
        """A whole number from low to high, both included."""
        return low + int(self.random() * (high - low + 1))

    def pick(self, items: Sequence[_Item]) -> _Item:
        return items[int(self.random() * len(items))]

    def run(self, items: Sequence[_Item], length: int) -> Sequence[_Item]:
        """So many neighbours, at most all: no item comes twice."""
        length = min(length, len(items))
        start = self.between(0, len(items) - length)
        return items[start : start + length]
