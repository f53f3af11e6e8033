"""A keyword."""

from __future__ import annotations

from tmdb_scrapy.tables.entries import Record


class Shape(Record):
    name: str | None = None
