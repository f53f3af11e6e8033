"""What several kinds' records have in common, field by field, under TMDb's own names.

A shape names the fields that the tables read and no other: what is not named here is skipped unread. Every
field but the record's ID may be absent or null.
"""

from __future__ import annotations

from typing import Annotated

import msgspec

Whole = Annotated[int, msgspec.Meta(ge=-(2**63), le=2**63 - 1)]
"""A whole number of at most 64 bits, which is what a column holds."""


class Entry(msgspec.Struct, omit_defaults=True):
    """A JSON object within a record."""


class Record(msgspec.Struct, omit_defaults=True):
    """One line of a merged file."""

    id: Whole
    line: int | None = None
    """Counts the lines of all files that are read, from 1; not TMDb's."""
    answered: int | None = None
    """When TMDb answered with this record, in nanoseconds since the epoch, if that is known; not TMDb's."""


class Named(Entry):
    """A genre or a keyword."""

    id: Whole | None = None
    name: str | None = None


class Company(Entry):
    """A production company or a network."""

    id: Whole | None = None
    name: str | None = None
    logo_path: str | None = None
    origin_country: str | None = None


class Country(Entry):
    iso_3166_1: str | None = None
    name: str | None = None


class Language(Entry):
    iso_639_1: str | None = None
    name: str | None = None
    english_name: str | None = None


class Person(Entry):
    """A person where one is named in credits."""

    id: Whole | None = None
    name: str | None = None
    original_name: str | None = None
    gender: Whole | None = None
    known_for_department: str | None = None
    popularity: float | None = None
    profile_path: str | None = None
    adult: bool | None = None


class Other(Entry):
    """Another record of the same kind, as in `similar`, of which only the ID is read."""

    id: Whole | None = None


class Others(Entry):
    """The first page of a list of others."""

    results: list[Other | None] | None = None
    total_results: Whole | None = None


class ExternalIds(Entry):
    imdb_id: str | None = None
    wikidata_id: str | None = None
    tvdb_id: Whole | None = None
