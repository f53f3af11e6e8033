"""A movie with its credits, keywords, similar and recommended movies."""

from __future__ import annotations

from tmdb_scrapy.tables.entries import (
    Company,
    Country,
    Entry,
    ExternalIds,
    Language,
    Named,
    Others,
    Person,
    Record,
    Whole,
)


class Collection(Entry):
    id: Whole | None = None
    name: str | None = None
    poster_path: str | None = None
    backdrop_path: str | None = None


class Cast(Person):
    credit_id: str | None = None
    order: Whole | None = None
    character: str | None = None
    cast_id: Whole | None = None


class Crew(Person):
    credit_id: str | None = None
    department: str | None = None
    job: str | None = None


class Credits(Entry):
    cast: list[Cast | None] | None = None
    crew: list[Crew | None] | None = None


class Keywords(Entry):
    keywords: list[Named | None] | None = None


class Shape(Record):
    imdb_id: str | None = None
    title: str | None = None
    original_title: str | None = None
    original_language: str | None = None
    release_date: str | None = None
    status: str | None = None
    runtime: Whole | None = None
    budget: Whole | None = None
    revenue: Whole | None = None
    popularity: float | None = None
    vote_average: float | None = None
    vote_count: Whole | None = None
    adult: bool | None = None
    video: bool | None = None
    overview: str | None = None
    tagline: str | None = None
    homepage: str | None = None
    poster_path: str | None = None
    backdrop_path: str | None = None
    belongs_to_collection: Collection | None = None
    genres: list[Named | None] | None = None
    origin_country: list[str | None] | None = None
    production_companies: list[Company | None] | None = None
    production_countries: list[Country | None] | None = None
    spoken_languages: list[Language | None] | None = None
    credits: Credits | None = None
    keywords: Keywords | None = None
    similar: Others | None = None
    recommendations: Others | None = None
    external_ids: ExternalIds | None = None
