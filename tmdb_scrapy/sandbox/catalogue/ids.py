"""Sparse record IDs, dense as TMDb's: 5 of every 7 numbers exist.

TMDb's export of 31 August 2026 had 1,238,234 movies with IDs past 1.7 million, a ratio of 1.4. Which five
of a block exist is drawn from the seed, so membership is arithmetic and no table of IDs is kept.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import combinations

from tmdb_scrapy.sandbox.catalogue.draws import mixer

_FIRST_ID = 2
_BLOCK = 7
_USED = 5
_PATTERNS = list(combinations(range(_BLOCK), _USED))
_POSITIONS = [{offset: position for position, offset in enumerate(pattern)} for pattern in _PATTERNS]


class SparseIds:
    """The first `count` IDs that `seed` and `salt` give, in ascending order. A larger `count` adds IDs at the
    end and leaves the others as they are."""

    def __init__(self, seed: int, salt: int, count: int) -> None:
        self._mixed = mixer(seed, salt)
        self._count = count

    def __len__(self) -> int:
        return self._count

    def __iter__(self) -> Iterator[int]:
        left = self._count
        block = 0
        while left > 0:
            first = _FIRST_ID + block * _BLOCK
            for offset in _PATTERNS[self._pattern(block)][:left]:
                yield first + offset
            left -= _USED
            block += 1

    def __getitem__(self, position: int) -> int:
        """The ID that has so many smaller ones."""
        if not 0 <= position < self._count:
            raise IndexError(position)
        block, place = divmod(position, _USED)
        return _FIRST_ID + block * _BLOCK + _PATTERNS[self._pattern(block)][place]

    def __contains__(self, record_id: int) -> bool:
        return self.position(record_id) is not None

    def position(self, record_id: int) -> int | None:
        """How many smaller IDs exist; None when this one does not."""
        block, offset = divmod(record_id - _FIRST_ID, _BLOCK)
        if block < 0:
            return None
        position = _POSITIONS[self._pattern(block)].get(offset)
        if position is None:
            return None
        position += block * _USED
        return position if position < self._count else None

    def _pattern(self, block: int) -> int:
        return self._mixed(block) % len(_PATTERNS)
