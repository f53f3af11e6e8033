"""Generated people: TMDb's fields in TMDb's order."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import ClassVar

from tmdb_scrapy.sandbox.catalogue import words
from tmdb_scrapy.sandbox.catalogue.appended import NO_CHANGES, NO_PAGE
from tmdb_scrapy.sandbox.catalogue.cards import person_name
from tmdb_scrapy.sandbox.catalogue.draws import Draw, FewDraws, draws_for
from tmdb_scrapy.sandbox.catalogue.generator import Generator, Record

_STARS = 100
"""One in so many has more than a hundred credits."""


class PersonGenerator(Generator):
    """People are kept as they come."""

    usual_count = 500
    has_adult = True
    padded_field = "biography"
    empty: ClassVar[Mapping[str, bytes]] = {
        "changes": NO_CHANGES,
        "combined_credits": b'{"cast":[],"crew":[]}',
        "external_ids": b'{"freebase_mid":null,"freebase_id":null,"imdb_id":null,"tvrage_id":null,'
        b'"wikidata_id":null,"facebook_id":null,"instagram_id":null,"tiktok_id":null,"twitter_id":null,'
        b'"youtube_id":null}',
        "images": b'{"profiles":[]}',
        "tagged_images": NO_PAGE,
        "translations": b'{"translations":[]}',
    }

    def name(self, record_id: int) -> str:
        return person_name(self.world.seed, record_id)

    def record(self, record_id: int, day: int, draw: Draw) -> Record:
        return {
            "adult": False,
            "also_known_as": [words.name(draw.getrandbits(64)) for _ in range(draw.between(0, 2))],
            "biography": words.sentence(draw, draw.between(10, 120)) if draw.random() < 0.4 else "",
            "birthday": draw.day(1900, 2010) if draw.random() < 0.6 else None,
            "deathday": None,
            "gender": draw.between(0, 3),
            "homepage": None,
            "id": record_id,
            "imdb_id": f"nm{draw.between(1, 9_999_999):07}" if draw.random() < 0.7 else None,
            "known_for_department": draw.pick(["Acting", "Directing", "Writing", "Crew"]),
            "name": self.name(record_id),
            "place_of_birth": words.title(draw.getrandbits(64)) if draw.random() < 0.5 else None,
            "popularity": self.popularity(record_id, day),
            "profile_path": draw.image_path(),
        }

    def append(self, record: Record, names: Sequence[str], day: int, bits: int) -> dict[str, bytes]:
        cast, crew = self._counts(bits)
        found: dict[str, bytes] = {}
        for name in names:
            draw = draws_for(name, bits)
            if name == "movie_credits":
                found[name] = self.world.appended.movie_credits(draw, cast, crew)
            elif name == "tv_credits":
                found[name] = self.world.appended.tv_credits(draw, cast, crew)
            elif name in self.empty:
                found[name] = self.empty[name]
        return found

    def _counts(self, bits: int) -> tuple[int, int]:
        """How many parts played and other jobs done."""
        draw = FewDraws(bits)
        if not self.world.body_size and (bits >> 32) % _STARS == 0:
            return draw.between(90, 200), draw.between(10, 40)
        return draw.between(0, 8), draw.between(0, 2)


GENERATOR = PersonGenerator
