"""A catalogue made from a seed."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from tmdb_scrapy.kinds import KINDS
from tmdb_scrapy.sandbox.catalogue.appended import Appended
from tmdb_scrapy.sandbox.catalogue.catalogue import Catalogue, Listed
from tmdb_scrapy.sandbox.catalogue.generator import Generator
from tmdb_scrapy.sandbox.catalogue.generators import generator_of
from tmdb_scrapy.sandbox.catalogue.profiles import Outcome
from tmdb_scrapy.sandbox.catalogue.world import World


def usual_count(kind: str) -> int:
    """How many records of a kind there are where nothing is said."""
    return generator_of(KINDS[kind]).usual_count


class GeneratedCatalogue(Catalogue):
    """Each body is made on demand from the seed, the ID and the day; nothing is stored.

    `counts` says how many records of a kind there are on day 0, for example `{"movies": 3000}`; none of the
    others. What the other options mean is said in `World`.
    """

    def __init__(
        self,
        counts: Mapping[str, int],
        seed: int = 0,
        body_size: int = 0,
        *,
        deleted_share: float = World.deleted_share,
        successful: int | None = World.successful,
        changed_share: float = World.changed_share,
    ) -> None:
        world = World(
            seed=seed,
            appended=Appended(seed),
            body_size=body_size,
            deleted_share=deleted_share,
            successful=successful,
            changed_share=changed_share,
        )
        self._generators: dict[str, Generator] = {
            name: generator_of(kind)(kind, counts.get(name, 0), world) for name, kind in KINDS.items()
        }
        self._day = 0

    def at(self, day: int) -> GeneratedCatalogue:
        later = GeneratedCatalogue.__new__(GeneratedCatalogue)
        later._generators = self._generators
        later._day = day
        return later

    def ids(self, kind: str) -> Iterator[int]:
        return self._generators[kind].population.exported(self._day)

    def has(self, kind: str, record_id: int) -> bool:
        return self._generators[kind].population.is_exported(record_id, self._day)

    def body(self, kind: str, record_id: int, appended: Sequence[str] = ()) -> bytes | None:
        return self._generators[kind].body(record_id, appended, self._day)

    def outcome(self, kind: str, record_id: int) -> Outcome:
        return self._generators[kind].outcome(record_id, self._day)

    def export_line(self, kind: str, record_id: int) -> bytes:
        return self._generators[kind].export_line(record_id, self._day)

    def changed(self, kind: str) -> Iterator[int]:
        return self._generators[kind].population.changed(self._day)

    def listed(self, kind: str, field: str) -> Iterator[Listed]:
        return self._generators[kind].listed(field, self._day)
