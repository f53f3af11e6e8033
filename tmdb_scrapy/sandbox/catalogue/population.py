"""Which records of a kind there are on a day, and what has happened to each."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from tmdb_scrapy.sandbox.catalogue.draws import mix, mixer, salt, unit
from tmdb_scrapy.sandbox.catalogue.ids import SparseIds
from tmdb_scrapy.sandbox.catalogue.life import Life
from tmdb_scrapy.sandbox.catalogue.world import World

_BACK_ON_DAY = 3
"""On which a third of the IDs that led to a 404 on the first day lead to a record."""
_MOST_POPULAR = 0.5
"""Of those that `deleted_share` deletes, so many are more popular than all others."""


class Population:
    """The records of one kind by ID and day. Days count from 0, the catalogue as it was made.

    The export of day 0 has some IDs that are deleted already, those for which `deleted_at_first(ID, bits)` is
    true; later exports have exactly what is there.
    """

    def __init__(
        self, name: str, count: int, world: World, edits: bool, deleted_at_first: Callable[[int, int], bool]
    ) -> None:
        self._seed = world.seed
        self._salt = salt(name)
        self._share = world.deleted_share
        self._deleted_at_first = deleted_at_first
        self._life = Life(world.seed, self._salt, count, world.changed_share, edits)
        self.at_first = SparseIds(world.seed, self._salt, count)
        self.bits = mixer(world.seed, self._salt)
        """64 bits for an ID, the same on every day."""

    def exported(self, day: int) -> Iterator[int]:
        """The IDs that a day's export has, ascending."""
        if day <= 0:
            return iter(self.at_first)
        return (record_id for record_id, _, _ in self.there(day))

    def there(self, day: int) -> Iterator[tuple[int, int, int]]:
        """ID, bits and position of each record that the API has, by ascending ID."""
        gone = self._life.all_gone(day)
        for position, record_id in enumerate(self._ever(day)):
            bits = self.bits(record_id)
            if position not in gone and not self._is_still_deleted(record_id, bits, day):
                yield record_id, bits, position

    def is_exported(self, record_id: int, day: int) -> bool:
        if day <= 0:
            return record_id in self.at_first
        position = self._ever(day).position(record_id)
        return position is not None and self._lives(record_id, position, day)

    def is_there(self, record_id: int, day: int) -> bool:
        """Whether the API has a record for the ID."""
        if not self.is_exported(record_id, day):
            return False
        return day > 0 or not self._is_still_deleted(record_id, self.bits(record_id), day)

    def changed(self, day: int) -> Iterator[int]:
        """The IDs that a change feed tells of a day."""
        ids = self._ever(day)
        changed = ((ids[position], position) for position in self._life.changed(day))
        return (number for number, position in changed if day <= 0 or self._lives(number, position, day))

    def edits(self, record_id: int, day: int) -> list[int]:
        """The days until this one on which a record was edited, ascending."""
        if day <= 0:
            return []
        position = self._ever(day).position(record_id)
        return [] if position is None else self._life.edits(position, day)

    def edits_at(self, position: int, day: int) -> list[int]:
        """The same, for those who know the position."""
        return self._life.edits(position, day)

    def falls(self, record_id: int, day: int) -> int:
        """How often a record has lost most of its popularity until a day."""
        if day <= 0:
            return 0
        position = self._ever(day).position(record_id)
        return 0 if position is None else self._life.falls(position, day)

    def is_deleted_by_share(self, bits: int) -> bool:
        """Half of the share are those whose bits make them most popular, the others are drawn."""
        if not self._share:
            return False
        famous = self._share * _MOST_POPULAR
        if unit(bits) >= 1 - famous:
            return True
        return unit(mix(bits, self._salt)) < (self._share - famous) / (1 - famous)

    def _ever(self, day: int) -> SparseIds:
        """All IDs that there have been until a day."""
        return SparseIds(self._seed, self._salt, self._life.population(day)) if day > 0 else self.at_first

    def _lives(self, record_id: int, position: int, day: int) -> bool:
        if self._life.gone(position, day):
            return False
        return not self._is_still_deleted(record_id, self.bits(record_id), day)

    def _is_still_deleted(self, record_id: int, bits: int, day: int) -> bool:
        """Whether an ID that led to a 404 on day 0 still does."""
        if not (self.is_deleted_by_share(bits) or self._deleted_at_first(record_id, bits)):
            return False
        return day < _BACK_ON_DAY or bits % 3 != 0
