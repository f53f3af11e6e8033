"""A network that shows series."""

from __future__ import annotations

from tmdb_scrapy.tables.entries import Record


class Shape(Record):
    name: str | None = None
    logo_path: str | None = None
    origin_country: str | None = None
    headquarters: str | None = None
    homepage: str | None = None
