"""What the spiders yield: the body as it came and the fields that decide about it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import msgspec


class BrokenRecord(ValueError):
    """A body that is no record of the ID that was asked for; the text says why."""


@dataclass(slots=True)
class Person:
    """A person with movie credits. Kept as it comes."""

    id: int
    """TMDb's ID."""
    body: bytes = field(repr=False)
    """The API's own JSON, byte for byte."""


@dataclass(slots=True)
class Movie:
    """A movie with its appended parts, and what the filter needs to know of it.

    A deciding field that TMDb left out, or filled with null or something else than expected, is None
    for an amount and False for a list.
    """

    id: int
    """TMDb's ID."""
    body: bytes = field(repr=False)
    """The API's own JSON, byte for byte."""
    budget: int | None
    """US dollars, 0 when TMDb does not know."""
    revenue: int | None
    """US dollars, 0 when TMDb does not know."""
    has_genres: bool
    has_cast: bool
    has_crew: bool


class _Skipped(msgspec.Struct):
    """An element of which only its being there counts."""


class _Credits(msgspec.Struct):
    cast: list[_Skipped] | None = None
    crew: list[_Skipped] | None = None


class _MovieFields(msgspec.Struct):
    id: int
    budget: int | None = None
    revenue: int | None = None
    genres: list[_Skipped] | None = None
    credits: _Credits | None = None


class _PersonFields(msgspec.Struct):
    id: int


_movie_fields = msgspec.json.Decoder(_MovieFields)
_person_fields = msgspec.json.Decoder(_PersonFields)


def read_movie(tmdb_id: int, body: bytes) -> Movie:
    """The movie in `body`.

    Raises `BrokenRecord` when it is not a JSON object with the ID `tmdb_id`.
    """
    try:
        fields = _movie_fields.decode(body)
    except msgspec.ValidationError:
        return _read_odd_movie(tmdb_id, body)
    except (msgspec.DecodeError, RecursionError) as error:
        raise BrokenRecord(f"not JSON: {error}") from error
    _check(fields.id, tmdb_id, body)
    credits = fields.credits
    return Movie(
        id=tmdb_id,
        body=body,
        budget=fields.budget,
        revenue=fields.revenue,
        has_genres=bool(fields.genres),
        has_cast=bool(credits and credits.cast),
        has_crew=bool(credits and credits.crew),
    )


def read_person(tmdb_id: int, body: bytes) -> Person:
    """The person in `body`.

    Raises `BrokenRecord` when it is not a JSON object with the ID `tmdb_id`.
    """
    try:
        found = _person_fields.decode(body).id
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise BrokenRecord(f"not a person's JSON: {error}") from error
    _check(found, tmdb_id, body)
    return Person(tmdb_id, body)


def _read_odd_movie(tmdb_id: int, body: bytes) -> Movie:
    """A movie whose deciding fields have types that TMDb does not promise."""
    record = _whole(body)
    _check(record.get("id") if isinstance(record, dict) else None, tmdb_id, body)
    credits = record.get("credits")
    credits = credits if isinstance(credits, dict) else {}
    return Movie(
        id=tmdb_id,
        body=body,
        budget=_amount(record.get("budget")),
        revenue=_amount(record.get("revenue")),
        has_genres=_is_filled(record.get("genres")),
        has_cast=_is_filled(credits.get("cast")),
        has_crew=_is_filled(credits.get("crew")),
    )


def _amount(value: Any) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) else None


def _is_filled(value: Any) -> bool:
    return isinstance(value, list) and bool(value)


def _check(found: Any, tmdb_id: int, body: bytes) -> None:
    if found != tmdb_id or isinstance(found, bool):
        raise BrokenRecord(f"a record without the ID that was asked for (it has {found!r})")
    if not body.isascii():
        # msgspec validates the syntax of what it skips, but not its encoding.
        try:
            body.decode()
        except UnicodeDecodeError as error:
            raise BrokenRecord(f"not UTF-8: {error}") from error


def _whole(body: bytes) -> Any:
    try:
        return msgspec.json.decode(body, strict=True)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise BrokenRecord(f"not JSON: {error}") from error


def line_of(body: bytes) -> bytes:
    """The body as one line of a JSON-lines file: byte for byte save line breaks, which in valid JSON only
    stand outside strings."""
    if b"\n" in body or b"\r" in body:
        body = body.translate(None, b"\r\n")
    return body + b"\n"
