"""Who was in casts with most others, exactly, of a million movies in some 100 MB."""

from __future__ import annotations

import heapq
from array import array
from bisect import bisect_right
from collections.abc import Iterable, Iterator
from typing import NamedTuple

from tmdb_scrapy.watch.report.collected import FIRST_CANDIDATES

DENSE_IDS = 1 << 24
"""TMDb's people have lower IDs; higher ones are counted too, but cost more."""


class Place(NamedTuple):
    """Where a person stands among all casts."""

    others: int
    movies: int
    last: int
    """Number of the last movie, from 0."""


class Casts:
    """The casts of all movies, in the order in which they were added."""

    def __init__(self) -> None:
        self._people: array[int] = array("q")
        self._ends: array[int] = array("q", [0])
        self._bounds = _Tally()
        """For each person, no fewer than the others that the person was with: repeated ones count again."""

    def add(self, cast: set[int]) -> None:
        """The people of the next movie."""
        self._people.extend(cast)
        self._ends.append(len(self._people))
        if len(cast) > 1:
            self._bounds.add(cast, len(cast) - 1)

    def most_connected(self, count: int) -> dict[int, Place]:
        """Where people stand, most others first, then by ID.

        Looked at are those with the highest bounds first, until no other can be among the first `count`. The
        others of one person at a time are held in memory.
        """
        candidates = FIRST_CANDIDATES
        while True:
            bounds = self._bounds.largest(candidates)
            movies = self._movies_of({person for person, _ in bounds})
            best: list[tuple[int, int]] = []
            for person, bound in bounds:
                if len(best) == count and bound < -best[-1][0]:
                    return {person: self._place(movies[person], -others) for others, person in best}
                best = sorted([*best, (-self._others(movies[person]), person)])[:count]
            if len(bounds) < candidates:
                return {person: self._place(movies[person], -others) for others, person in best}
            candidates *= 4

    def _movies_of(self, people: set[int]) -> dict[int, array[int]]:
        """The numbers of the movies of each person."""
        movies: dict[int, array[int]] = {person: array("q") for person in people}
        for place, person in enumerate(self._people):
            if person in people:
                movies[person].append(bisect_right(self._ends, place) - 1)
        return movies

    def _others(self, movies: array[int]) -> int:
        cast: set[int] = set()
        for number in movies:
            cast.update(self._people[self._ends[number] : self._ends[number + 1]])
        return len(cast) - 1

    def _place(self, movies: array[int], others: int) -> Place:
        return Place(others, len(movies), movies[-1])


class _Tally:
    """Sums by ID: an array for the IDs that there are many of, a dictionary for the rest."""

    def __init__(self) -> None:
        self._dense: array[int] = array("q")
        self._sparse: dict[int, int] = {}

    def add(self, keys: Iterable[int], amount: int) -> None:
        """As much to each."""
        dense, room = self._dense, len(self._dense)
        for key in keys:
            if 0 <= key < room:
                dense[key] += amount
            elif 0 <= key < DENSE_IDS:
                dense.frombytes(bytes(8 * (min(key + 1 + (key >> 3), DENSE_IDS) - room)))
                dense[key] = amount
                room = len(dense)
            else:
                self._sparse[key] = self._sparse.get(key, 0) + amount

    def largest(self, count: int) -> list[tuple[int, int]]:
        """Keys and sums above 0, the largest first, then by key."""
        return heapq.nsmallest(count, self._all(), key=lambda pair: (-pair[1], pair[0]))

    def _all(self) -> Iterator[tuple[int, int]]:
        yield from ((key, amount) for key, amount in enumerate(self._dense) if amount)
        yield from self._sparse.items()
