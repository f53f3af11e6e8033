"""Movies with credits, keywords, similar and recommended movies."""

from __future__ import annotations

from tmdb_scrapy.items import Movie, read_movie
from tmdb_scrapy.spiders.base import TmdbSpider


class MoviesSpider(TmdbSpider):
    """``scrapy crawl movies``: https://developer.themoviedb.org/reference/movie-details"""

    name = kind = "movies"
    path = "movie"

    def appended(self) -> tuple[str, ...]:
        return self.config.append_to_response

    def read(self, tmdb_id: int, body: bytes) -> Movie:
        return read_movie(tmdb_id, body)
