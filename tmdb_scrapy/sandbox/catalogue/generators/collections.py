"""Generated collections: some movies that belong together."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

import msgspec

from tmdb_scrapy.sandbox.catalogue import words
from tmdb_scrapy.sandbox.catalogue.draws import Draw, FewDraws
from tmdb_scrapy.sandbox.catalogue.generator import Generator, Record

_MOST_MOVIES = 6


class CollectionGenerator(Generator):
    """Their records have no popularity, as their export has none."""

    padded_field = "overview"
    empty: ClassVar[Mapping[str, bytes]] = {
        "images": b'{"backdrops":[],"posters":[]}',
        "translations": b'{"translations":[]}',
    }

    def record(self, record_id: int, day: int, draw: Draw) -> Record:
        name = self.name(record_id)
        return {
            "id": record_id,
            "name": name,
            "original_language": "en",
            "original_name": name,
            "overview": words.sentence(draw, draw.between(5, 40)) if draw.random() < 0.8 else "",
            "poster_path": draw.image_path(),
            "backdrop_path": draw.image_path(),
            "parts": msgspec.Raw(
                self.world.appended.collection(
                    FewDraws(self.bits(record_id, day)), draw.between(0, _MOST_MOVIES)
                )
            ),
        }


GENERATOR = CollectionGenerator
