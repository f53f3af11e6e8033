"""What the days do to the records of one kind: edited, added, deleted, merged, back again, less popular.

Nothing is stored. An event hits, on each day, the records whose position leaves one remainder when it is
divided by the event's step, and the remainder is drawn from the seed and the day. So both questions are
arithmetic: what happened to this record, and to which records did it happen that day.
Day 0 is the catalogue as it was made. What came before is not told apart from it.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Sequence
from itertools import chain

from tmdb_scrapy.sandbox.catalogue.draws import mix, mixer, salt

_DELETED = 0.05
"""For each record that is edited, so many are deleted."""
_MERGED = 0.025
_ADDED = 0.1
_LESS_POPULAR = 0.2
_AWAY_DAYS = 2
"""Days after which the first deleted records come back; half of them never do."""


class _Event:
    """Something that happens each day to this share of `count` records, to one at least; never when 0."""

    def __init__(self, name: str, seed: int, kind_salt: int, share: float, count: int) -> None:
        self._step = max(1, min(count, round(1 / share))) if share > 0 and count > 0 else 0
        self._mixed = mixer(seed, kind_salt, salt(name))
        self._table: dict[int, list[int]] = {}
        self._until = 0

    def positions(self, day: int, population: int, after: int = 0) -> range:
        """The records that it hits on a day, or those so many places behind them."""
        if not self._step:
            return range(0)
        return range((self._mixed(day) + after) % self._step, population, self._step)

    def days(self, position: int, until: int, after: int = 0) -> Sequence[int]:
        """The days from 1 to `until` on which it hits a record, or the one so many places before it."""
        if not self._step:
            return ()
        while self._until < until:
            self._until += 1
            self._table.setdefault(self._mixed(self._until) % self._step, []).append(self._until)
        days = self._table.get((position - after) % self._step, ())
        return days[: bisect_right(days, until)]


class Life:
    """The life of every record of a kind, by its position. `share` of them are edited a day if `edits`."""

    def __init__(self, seed: int, kind_salt: int, count: int, share: float, edits: bool) -> None:
        def event(name: str, of_edited: float) -> _Event:
            return _Event(name, seed, kind_salt, share * of_edited, count)

        self._count = count
        self._added = max(1, round(count * share * _ADDED)) if share and count else 0
        self._edited = event("edited", float(edits))
        self._deleted = event("deleted", _DELETED)
        self._merged = event("merged", _MERGED)
        self._less_popular = event("less popular", _LESS_POPULAR)
        self._edits = edits
        self._seed = seed
        self._salt = kind_salt

    def population(self, day: int) -> int:
        """How many records there have ever been until the end of a day."""
        return self._count + self._added * max(0, day)

    def gone(self, position: int, day: int) -> bool:
        """Whether a record is deleted, or merged into another, on a day."""
        born = self._born(position)
        if any(merged > born for merged in self._merged.days(position, day)):
            return True
        return any(
            deleted > born and not self._is_back(position, deleted, day)
            for deleted in self._deleted.days(position, day)
        )

    def all_gone(self, day: int) -> frozenset[int]:
        """The positions of all records for which `gone` is true on a day."""
        suspects: set[int] = set()
        for earlier in range(1, day + 1):
            population = self.population(earlier - 1)
            suspects.update(self._deleted.positions(earlier, population))
            suspects.update(self._merged.positions(earlier, population))
        return frozenset(position for position in suspects if self.gone(position, day))

    def edits(self, position: int, day: int) -> list[int]:
        """The days until this one on which a record was edited, ascending: those that the feed names. One
        that another is merged into is edited too, one that is gone is not."""
        if not self._edits:
            return []
        born = self._born(position)
        days = chain(self._edited.days(position, day), self._merged.days(position, day, after=1))
        return sorted(edited for edited in days if edited > born and not self.gone(position, edited))

    def falls(self, position: int, day: int) -> int:
        """How often a record has lost most of its popularity until a day."""
        return len(self._less_popular.days(position, day))

    def changed(self, day: int) -> Iterable[int]:
        """Positions of the records that were edited or added on a day, each once."""
        before = self.population(day - 1)
        touched = chain(
            self._edited.positions(day, before),
            self._merged.positions(day, before, after=1) if day > 0 and self._edits else (),
            range(before, self.population(day)),
        )
        return (position for position in dict.fromkeys(touched) if not self.gone(position, day))

    def _born(self, position: int) -> int:
        """The day on which a record was added; 0 for those that were there from the first."""
        return 0 if position < self._count else (position - self._count) // self._added + 1

    def _is_back(self, position: int, deleted: int, day: int) -> bool:
        chance = mix(self._seed, self._salt, position, deleted)
        return chance % 2 == 0 and day >= deleted + _AWAY_DAYS + (chance >> 8) % 3
