"""Generated people: TMDb's fields in TMDb's order."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from tmdb_scrapy.sandbox.catalogue import words
from tmdb_scrapy.sandbox.catalogue.appended import (
    EMPTY,
    PERSON_SALT,
    Appended,
    image_path,
    padded,
    person_name,
    splice,
)
from tmdb_scrapy.sandbox.catalogue.draws import Draw, mix, unit
from tmdb_scrapy.sandbox.catalogue.ids import SparseIds
from tmdb_scrapy.sandbox.catalogue.profiles import Outcome

_DELETED = 100
"""One in so many exported people answers 404."""
_STARS = 100
"""One in so many has more than a hundred credits."""


class PersonGenerator:
    """Makes any person of a seed on demand."""

    def __init__(self, seed: int, ids: SparseIds, parts: Appended, body_size: int) -> None:
        self.ids = ids
        self._seed = seed
        self._parts = parts
        self._body_size = body_size

    def outcome(self, person_id: int) -> Outcome:
        """People are kept as they come. The second one is gone, so that even a small catalogue has one."""
        if self.ids.position(person_id) == 1 or self._bits(person_id) % _DELETED == 0:
            return "missing"
        return "kept"

    def export_line(self, person_id: int) -> bytes:
        return b'{"adult":false,"id":%d,"name":%b,"popularity":%b}' % (
            person_id,
            msgspec.json.encode(person_name(self._seed, person_id)),
            msgspec.json.encode(self._popularity(person_id)),
        )

    def body(self, person_id: int, appended: Sequence[str]) -> bytes | None:
        if person_id not in self.ids or self.outcome(person_id) == "missing":
            return None
        draw = Draw(self._bits(person_id))
        encoded = msgspec.json.encode(self._record(person_id, draw))
        body = splice(encoded, self._appended(person_id, draw, appended))
        return padded(body, "biography", self._body_size)

    def _bits(self, person_id: int) -> int:
        return mix(self._seed, PERSON_SALT, person_id)

    def _popularity(self, person_id: int) -> float:
        return round(float(0.3 * (1.0 - unit(mix(self._seed, PERSON_SALT, person_id, 2))) ** -0.45), 4)

    def _record(self, person_id: int, draw: Draw) -> dict[str, object]:
        name = person_name(self._seed, person_id)
        birthday = f"{draw.between(1900, 2010)}-{draw.between(1, 12):02}-{draw.between(1, 28):02}"
        return {
            "adult": False,
            "also_known_as": [words.name(draw.getrandbits(64)) for _ in range(draw.between(0, 2))],
            "biography": words.sentence(draw, draw.between(10, 120)) if draw.random() < 0.4 else "",
            "birthday": birthday if draw.random() < 0.6 else None,
            "deathday": None,
            "gender": draw.between(0, 3),
            "homepage": None,
            "id": person_id,
            "imdb_id": f"nm{draw.between(1, 9_999_999):07}" if draw.random() < 0.7 else None,
            "known_for_department": draw.pick(["Acting", "Directing", "Writing", "Crew"]),
            "name": name,
            "place_of_birth": words.title(draw.getrandbits(64)) if draw.random() < 0.5 else None,
            "popularity": self._popularity(person_id),
            "profile_path": image_path(draw),
        }

    def _appended(self, person_id: int, draw: Draw, appended: Sequence[str]) -> dict[str, bytes]:
        star = not self._body_size and (self._bits(person_id) >> 32) % _STARS == 0
        cast, crew = (
            (draw.between(90, 200), draw.between(10, 40))
            if star
            else (draw.between(0, 8), draw.between(0, 2))
        )
        parts: dict[str, bytes] = {}
        for name in appended:
            if name == "movie_credits":
                parts[name] = self._parts.movie_credits(draw, cast, crew)
            elif name in EMPTY:
                parts[name] = EMPTY[name]
        return parts
