"""What is left of a file when lines are taken out."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from tmdb_scrapy.records.columns import Column


class Stretches:
    """The stretches of a file between lines that are taken out of it."""

    def __init__(self, size: int, offsets: Column, lengths: Column) -> None:
        """`offsets` and `lengths` of the lines that are out, in any order."""
        order = np.argsort(offsets)
        self._size = size
        self._out = offsets[order]
        self._taken = np.append(np.uint64(0), np.cumsum(lengths[order], dtype=np.uint64))
        """How many bytes the first 0, 1, 2, … lines that are out have."""

    def __bool__(self) -> bool:
        """Whether anything is taken out."""
        return len(self._out) > 0

    def left(self) -> Iterator[tuple[int, int]]:
        """Start and end of each stretch that stays."""
        starts = np.append(np.uint64(0), self._out + np.diff(self._taken))
        ends = np.append(self._out, np.uint64(self._size))
        stays = starts < ends
        return zip(starts[stays].tolist(), ends[stays].tolist(), strict=True)

    def taken_before(self, offsets: Column) -> Column:
        """How many bytes less are before lines that stay."""
        return self._taken[np.searchsorted(self._out, offsets)]
