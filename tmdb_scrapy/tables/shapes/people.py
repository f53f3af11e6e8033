"""A person with the credits in movies."""

from __future__ import annotations

from tmdb_scrapy.tables.entries import Entry, ExternalIds, Record, Whole


class Cast(Entry):
    id: Whole | None = None
    credit_id: str | None = None
    order: Whole | None = None
    character: str | None = None


class Crew(Entry):
    id: Whole | None = None
    credit_id: str | None = None
    department: str | None = None
    job: str | None = None


class Credits(Entry):
    cast: list[Cast | None] | None = None
    crew: list[Crew | None] | None = None


class Shape(Record):
    name: str | None = None
    original_name: str | None = None
    gender: Whole | None = None
    known_for_department: str | None = None
    popularity: float | None = None
    profile_path: str | None = None
    adult: bool | None = None
    imdb_id: str | None = None
    birthday: str | None = None
    deathday: str | None = None
    place_of_birth: str | None = None
    biography: str | None = None
    homepage: str | None = None
    also_known_as: list[str | None] | None = None
    movie_credits: Credits | None = None
    external_ids: ExternalIds | None = None
