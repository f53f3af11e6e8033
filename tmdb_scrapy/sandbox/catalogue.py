"""What the sandbox holds: the records that exist, their bodies, and how each should end."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from typing import Literal

from tmdb_scrapy.sandbox.ids import SparseIds
from tmdb_scrapy.sandbox.movies import MovieGenerator
from tmdb_scrapy.sandbox.parts import MOVIE_SALT, PERSON_SALT, Parts
from tmdb_scrapy.sandbox.people import PersonGenerator
from tmdb_scrapy.sandbox.profiles import Outcome

Kind = Literal["movies", "people"]


class AnyCatalogue(ABC):
    """The questions that the server and the tests ask; no method does I/O."""

    @abstractmethod
    def ids(self, kind: Kind) -> Iterator[int]:
        """Every exported ID, ascending. Some of them answer 404: they were deleted since."""

    @abstractmethod
    def body(self, kind: Kind, record_id: int, appended: Sequence[str] = ()) -> bytes | None:
        """The record with the appended parts as encoded JSON; None when the API should answer 404."""

    @abstractmethod
    def outcome(self, kind: Kind, record_id: int) -> Outcome:
        """How a correct crawl with the default filter, and credits appended, ends for an exported ID."""

    @abstractmethod
    def export_line(self, kind: Kind, record_id: int) -> bytes:
        """The ID's line in the daily export, without the line break."""

    @abstractmethod
    def has(self, kind: Kind, record_id: int) -> bool:
        """Whether the ID is exported."""

    def movie_ids(self) -> Iterator[int]:
        return self.ids("movies")

    def person_ids(self) -> Iterator[int]:
        return self.ids("people")

    def movie(self, movie_id: int, appended: Sequence[str] = ()) -> bytes | None:
        return self.body("movies", movie_id, appended)

    def person(self, person_id: int, appended: Sequence[str] = ()) -> bytes | None:
        return self.body("people", person_id, appended)

    def expected(self, kind: Kind) -> Iterator[tuple[int, Outcome]]:
        """The truth about every exported ID, in ascending order; `dict()` of it makes a table."""
        return ((record_id, self.outcome(kind, record_id)) for record_id in self.ids(kind))


class Catalogue(AnyCatalogue):
    """A generated catalogue: each body is made on demand from the seed and the ID, nothing is stored.

    `body_size` > 0 pads bodies to exactly that many bytes (a body that is larger by nature stays so).
    """

    def __init__(self, seed: int = 0, movies: int = 3000, people: int = 500, body_size: int = 0) -> None:
        parts = Parts(seed)
        self._generators: dict[Kind, MovieGenerator | PersonGenerator] = {
            "movies": MovieGenerator(seed, SparseIds(seed, MOVIE_SALT, movies), parts, body_size),
            "people": PersonGenerator(seed, SparseIds(seed, PERSON_SALT, people), parts, body_size),
        }

    def ids(self, kind: Kind) -> Iterator[int]:
        return iter(self._generators[kind].ids)

    def body(self, kind: Kind, record_id: int, appended: Sequence[str] = ()) -> bytes | None:
        return self._generators[kind].body(record_id, appended)

    def outcome(self, kind: Kind, record_id: int) -> Outcome:
        return self._generators[kind].outcome(record_id)

    def export_line(self, kind: Kind, record_id: int) -> bytes:
        return self._generators[kind].export_line(record_id)

    def has(self, kind: Kind, record_id: int) -> bool:
        return record_id in self._generators[kind].ids


class LayeredCatalogue(AnyCatalogue):
    """Several catalogues as one: where two hold an ID, the earlier one answers."""

    def __init__(self, layers: Sequence[AnyCatalogue]) -> None:
        self._layers = layers

    def ids(self, kind: Kind) -> Iterator[int]:
        return iter(sorted({record_id for layer in self._layers for record_id in layer.ids(kind)}))

    def body(self, kind: Kind, record_id: int, appended: Sequence[str] = ()) -> bytes | None:
        layer = self._layer(kind, record_id)
        return layer.body(kind, record_id, appended) if layer else None

    def outcome(self, kind: Kind, record_id: int) -> Outcome:
        layer = self._layer(kind, record_id)
        return layer.outcome(kind, record_id) if layer else "missing"

    def export_line(self, kind: Kind, record_id: int) -> bytes:
        layer = self._layer(kind, record_id)
        if layer is None:
            raise KeyError(record_id)
        return layer.export_line(kind, record_id)

    def has(self, kind: Kind, record_id: int) -> bool:
        return self._layer(kind, record_id) is not None

    def _layer(self, kind: Kind, record_id: int) -> AnyCatalogue | None:
        return next((layer for layer in self._layers if layer.has(kind, record_id)), None)
