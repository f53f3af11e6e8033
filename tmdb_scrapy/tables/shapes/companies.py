"""A production company."""

from __future__ import annotations

from tmdb_scrapy.tables.entries import Company, Record


class Shape(Record):
    name: str | None = None
    logo_path: str | None = None
    origin_country: str | None = None
    description: str | None = None
    headquarters: str | None = None
    homepage: str | None = None
    parent_company: Company | None = None
