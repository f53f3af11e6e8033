"""What is left of a file when lines are taken out."""

from __future__ import annotations

from array import array
from bisect import bisect_left
from collections.abc import Iterator

from tmdb_scrapy.records.index import REGION_BITS


class Stretches:
    """Lines that are taken out of a file, and the stretches between them. 24 bytes a line that is out."""

    def __init__(self, size: int) -> None:
        self._size = size
        self._out = [array("Q") for _ in range((size >> REGION_BITS) + 1)]
        self._starts = array("Q")
        self._before = array("Q", [0])

    def __bool__(self) -> bool:
        """Whether anything is taken out."""
        return any(self._out)

    def take_out(self, offset: int, length: int) -> None:
        self._out[offset >> REGION_BITS].extend((offset, length))

    def left(self) -> Iterator[tuple[int, int]]:
        """Start and end of each stretch that stays. Call it once, when all is taken out."""
        start = taken = 0
        for region in self._out:
            for offset, length in sorted(zip(region[::2], region[1::2], strict=True)):
                if start < offset:
                    yield start, offset
                start = offset + length
                taken += length
                self._starts.append(offset)
                self._before.append(taken)
        if start < self._size:
            yield start, self._size

    def taken_before(self, offset: int) -> int:
        """How many bytes less are before a line that stays, once `left` has come to its end."""
        return self._before[bisect_left(self._starts, offset)]
