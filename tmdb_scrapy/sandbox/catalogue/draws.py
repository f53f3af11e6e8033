"""Deterministic pseudo-random numbers that need no state: the same parts always give the same number.

The whole catalogue, every day of it and every fault is a function of the seed and an ID, so nothing has to be
stored and a run can be repeated exactly.
"""

from __future__ import annotations

import random
import zlib
from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import TypeVar

_Item = TypeVar("_Item")
_MASK = (1 << 64) - 1
_START = 0x9E3779B97F4A7C15
_STEP = 0xBF58476D1CE4E5B9
_LAST = 0x94D049BB133111EB
_FACTOR, _TERM = 6364136223846793005, 1442695040888963407
_UNIT = 1 << 53


def mix(*parts: int) -> int:
    """Return 64 well-mixed bits that depend on every part (the finaliser of splitmix64)."""
    state = _absorbed(parts)
    state = (state * _LAST) & _MASK
    return state ^ (state >> 31)


def mixer(*first: int) -> Callable[[int], int]:
    """`mix` with the first parts fixed: `mixer(a, b)(c)` is `mix(a, b, c)`, in less than half the time."""
    before = _absorbed(first)

    def mixed(last: int) -> int:
        state = ((before ^ last) * _STEP) & _MASK
        state = ((state ^ (state >> 29)) * _LAST) & _MASK
        return state ^ (state >> 31)

    return mixed


def salt(name: str) -> int:
    """A number for a name, so that what one name draws tells nothing about another's."""
    return zlib.crc32(name.encode())


def unit(bits: int) -> float:
    """Map 64 bits to a number from 0 (included) to 1 (excluded)."""
    return (bits >> 11) / _UNIT


class _Draws(ABC):
    """What every stream of draws can do; several times faster than randint and choice."""

    @abstractmethod
    def random(self) -> float:
        """From 0 (included) to 1 (excluded)."""

    def between(self, low: int, high: int) -> int:
        """A whole number from low to high, both included."""
        return low + int(self.random() * (high - low + 1))

    def pick(self, items: Sequence[_Item]) -> _Item:
        return items[int(self.random() * len(items))]

    def run(self, items: Sequence[_Item], length: int) -> Sequence[_Item]:
        """So many neighbours, at most all: no item comes twice."""
        length = min(length, len(items))
        start = int(self.random() * (len(items) - length + 1))
        return items[start : start + length]


class FewDraws(_Draws):
    """A stream that costs nothing to begin, for a handful of draws."""

    def __init__(self, bits: int) -> None:
        """`bits` are well mixed, as those of `mix` are."""
        self._bits = bits

    def bits(self) -> int:
        """64 of them, the higher ones the better (Knuth's linear congruential generator)."""
        self._bits = bits = (self._bits * _FACTOR + _TERM) & _MASK
        return bits

    def random(self) -> float:
        self._bits = bits = (self._bits * _FACTOR + _TERM) & _MASK  # a call of `bits` would double its cost
        return (bits >> 11) / _UNIT


class Draw(random.Random, _Draws):
    """A stream that costs some microseconds to begin, and then less than the other."""

    def image_path(self) -> str | None:
        """TMDb's form of an image path; null as often as not."""
        return f"/{self.getrandbits(160):027x}"[:28] + ".jpg" if self.random() < 0.6 else None

    def day(self, first_year: int, last_year: int) -> str:
        """A date from 1 January of one year to 28 December of another."""
        return f"{self.between(first_year, last_year)}-{self.between(1, 12):02}-{self.between(1, 28):02}"

    def credit_id(self) -> str:
        """24 hexadecimal digits, as TMDb has them."""
        return f"{self.getrandbits(96):024x}"


@lru_cache(maxsize=256)
def _salted(name: str) -> int:
    return mix(salt(name))


def draws_for(name: str, bits: int) -> FewDraws:
    """For one thing of several that are drawn from the same bits."""
    return FewDraws(bits ^ _salted(name))


def _absorbed(parts: Sequence[int]) -> int:
    state = _START
    for part in parts:
        state = ((state ^ part) * _STEP) & _MASK
        state ^= state >> 29
    return state
