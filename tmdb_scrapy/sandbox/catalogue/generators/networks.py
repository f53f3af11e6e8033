"""Generated networks."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from tmdb_scrapy.sandbox.catalogue import words
from tmdb_scrapy.sandbox.catalogue.draws import Draw
from tmdb_scrapy.sandbox.catalogue.generator import Generator, Record


class NetworkGenerator(Generator):
    """Mostly a name and a logo."""

    padded_field = "headquarters"
    empty: ClassVar[Mapping[str, bytes]] = {"alternative_names": b'{"results":[]}', "images": b'{"logos":[]}'}

    def record(self, record_id: int, day: int, draw: Draw) -> Record:
        return {
            "headquarters": words.title(draw.getrandbits(64)) if draw.random() < 0.3 else "",
            "homepage": f"https://example.org/{record_id}" if draw.random() < 0.5 else "",
            "id": record_id,
            "logo_path": draw.image_path(),
            "name": self.name(record_id),
            "origin_country": draw.pick(["", "US", "JP"]),
        }


GENERATOR = NetworkGenerator
