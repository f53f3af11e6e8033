"""A collection with the movies in it."""

from __future__ import annotations

from tmdb_scrapy.tables.entries import Other, Record


class Shape(Record):
    name: str | None = None
    original_name: str | None = None
    original_language: str | None = None
    overview: str | None = None
    poster_path: str | None = None
    backdrop_path: str | None = None
    parts: list[Other | None] | None = None
