"""People with their movie credits."""

from __future__ import annotations

from tmdb_scrapy.items import Person, read_person
from tmdb_scrapy.spiders.base import TmdbSpider


class PeopleSpider(TmdbSpider):
    """``scrapy crawl people``: https://developer.themoviedb.org/reference/person-details"""

    name = kind = "people"
    path = "person"

    def appended(self) -> tuple[str, ...]:
        return ("movie_credits",)

    def read(self, tmdb_id: int, body: bytes) -> Person:
        return read_person(tmdb_id, body)
