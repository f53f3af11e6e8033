"""A series with its aggregate credits, keywords, similar and recommended series."""

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


class Creator(Person):
    credit_id: str | None = None


class Role(Entry):
    credit_id: str | None = None
    character: str | None = None
    episode_count: Whole | None = None


class Job(Entry):
    credit_id: str | None = None
    job: str | None = None
    episode_count: Whole | None = None


class Cast(Person):
    order: Whole | None = None
    roles: list[Role | None] | None = None


class Crew(Person):
    department: str | None = None
    jobs: list[Job | None] | None = None


class AggregateCredits(Entry):
    cast: list[Cast | None] | None = None
    crew: list[Crew | None] | None = None


class Keywords(Entry):
    results: list[Named | None] | None = None


class Season(Entry):
    id: Whole | None = None
    season_number: Whole | None = None
    name: str | None = None
    air_date: str | None = None
    episode_count: Whole | None = None
    overview: str | None = None
    poster_path: str | None = None
    vote_average: float | None = None


class Shape(Record):
    name: str | None = None
    original_name: str | None = None
    original_language: str | None = None
    first_air_date: str | None = None
    last_air_date: str | None = None
    status: str | None = None
    type: str | None = None
    in_production: bool | None = None
    number_of_seasons: Whole | None = None
    number_of_episodes: Whole | None = None
    popularity: float | None = None
    vote_average: float | None = None
    vote_count: Whole | None = None
    adult: bool | None = None
    overview: str | None = None
    tagline: str | None = None
    homepage: str | None = None
    poster_path: str | None = None
    backdrop_path: str | None = None
    created_by: list[Creator | None] | None = None
    genres: list[Named | None] | None = None
    networks: list[Company | None] | None = None
    origin_country: list[str | None] | None = None
    production_companies: list[Company | None] | None = None
    production_countries: list[Country | None] | None = None
    spoken_languages: list[Language | None] | None = None
    seasons: list[Season | None] | None = None
    aggregate_credits: AggregateCredits | None = None
    keywords: Keywords | None = None
    similar: Others | None = None
    recommendations: Others | None = None
    external_ids: ExternalIds | None = None
