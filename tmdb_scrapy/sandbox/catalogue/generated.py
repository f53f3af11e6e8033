"""A catalogue made from a seed."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from tmdb_scrapy.sandbox.catalogue.appended import MOVIE_SALT, PERSON_SALT, Appended
from tmdb_scrapy.sandbox.catalogue.catalogue import Catalogue
from tmdb_scrapy.sandbox.catalogue.ids import SparseIds
from tmdb_scrapy.sandbox.catalogue.movies import MovieGenerator
from tmdb_scrapy.sandbox.catalogue.people import PersonGenerator
from tmdb_scrapy.sandbox.catalogue.profiles import Outcome


class GeneratedCatalogue(Catalogue):
    """Each body is made on demand from the seed and the ID, nothing is stored.

    `counts` says how many records of a kind there are, for example `{"movies": 3000}`; none of the others.
    `body_size` > 0 pads bodies to exactly that many bytes (a body that is larger by nature stays so).
    """

    def __init__(self, counts: Mapping[str, int], seed: int = 0, body_size: int = 0) -> None:
        appended = Appended(seed)
        movies = SparseIds(seed, MOVIE_SALT, counts.get("movies", 0))
        people = SparseIds(seed, PERSON_SALT, counts.get("people", 0))
        self._generators: dict[str, MovieGenerator | PersonGenerator] = {
            "movies": MovieGenerator(seed, movies, appended, body_size),
            "people": PersonGenerator(seed, people, appended, body_size),
        }

    def ids(self, kind: str) -> Iterator[int]:
        return iter(self._generators[kind].ids)

    def body(self, kind: str, record_id: int, appended: Sequence[str] = ()) -> bytes | None:
        return self._generators[kind].body(record_id, appended)

    def outcome(self, kind: str, record_id: int) -> Outcome:
        return self._generators[kind].outcome(record_id)

    def export_line(self, kind: str, record_id: int) -> bytes:
        return self._generators[kind].export_line(record_id)

    def has(self, kind: str, record_id: int) -> bool:
        return record_id in self._generators[kind].ids
