"""Generated companies."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from tmdb_scrapy.sandbox.catalogue import words
from tmdb_scrapy.sandbox.catalogue.draws import Draw
from tmdb_scrapy.sandbox.catalogue.generator import Generator, Record

_OTHERS = 200_000
"""Companies that own others have an ID up to this."""


class CompanyGenerator(Generator):
    """One in ten belongs to another company."""

    padded_field = "description"
    empty: ClassVar[Mapping[str, bytes]] = {"alternative_names": b'{"results":[]}', "images": b'{"logos":[]}'}

    def record(self, record_id: int, day: int, draw: Draw) -> Record:
        owner = {
            "id": draw.between(1, _OTHERS),
            "logo_path": draw.image_path(),
            "name": words.title(draw.getrandbits(64)),
        }
        return {
            "description": "",
            "headquarters": words.title(draw.getrandbits(64)) if draw.random() < 0.3 else "",
            "homepage": f"https://example.org/{record_id}" if draw.random() < 0.1 else "",
            "id": record_id,
            "logo_path": draw.image_path(),
            "name": self.name(record_id),
            "origin_country": draw.pick(["", "US", "FR", "IN"]),
            "parent_company": owner if draw.random() < 0.1 else None,
        }


GENERATOR = CompanyGenerator
