"""What the program knows of one kind of record. Nothing outside this package knows a kind by its name."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import msgspec

from tmdb_scrapy.values import Setting, appended

Amount = int | float | None
"""A JSON number: TMDb's are whole, and 2e7 is the same amount as 20000000."""


class Skipped(msgspec.Struct):
    """An element of which only its being there counts."""


class Appended(msgspec.Struct):
    """What `append_to_response` added. TMDb can put an error where it should be (`"success": false`)."""

    success: bool | None = None


class Deciding(msgspec.Struct):
    """The fields of a record that decide about it. Every field has a default, which stands for a value that
    TMDb left out or filled with something else than expected."""


Disqualify = Callable[[Any, Mapping[str, Any]], str | None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Filter:
    """Which records of a kind are kept."""

    switch: str
    """Key of the setting that switches the filter on and off."""
    limits: tuple[str, ...]
    """Keys of the settings that the rule compares with."""
    needs: tuple[str, ...]
    """What must be appended, or nothing can be decided."""
    reasons: Mapping[str, bytes]
    """Each reason to drop a record, and the byte that stands for it in the ledger."""
    disqualify: Disqualify
    """From the deciding fields and the settings by key: the reason to drop a record, or None to keep it."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Kind:
    """One kind of record: how it is called, where it comes from, and what decides about it."""

    name: str
    """As commands, keys and files have it: `movies`."""
    singular: str
    """`movie`."""
    plural: str = ""
    """Where it is not the name: `series`."""
    path: str
    """The API's method: `movie` in `/3/movie/603`."""
    export: str
    """The daily ID export's name, before the date: `movie_ids`."""
    title_field: str = "name"
    """What a line of the export calls the title."""
    has_popularity: bool = False
    """Whether the lines of the export tell a popularity, so that the most popular come first."""
    has_video: bool = False
    """Whether the lines of the export tell videos from films."""
    has_changes: bool = False
    """Whether TMDb has a change feed of this kind."""
    discovered_from: str = ""
    """The setting that says from which revenue on discover finds records; empty where TMDb cannot list a kind
    by revenue."""
    append_key: str
    """The setting that says what is appended: `APPEND_TO_RESPONSE`."""
    appended: tuple[str, ...] = ()
    """What is appended by default."""
    seed_limit: Setting | None = None
    """The setting that says how many of the most popular are seeded; None for all."""
    deciding: type[Deciding] = Deciding
    filter: Filter | None = None
    own_settings: tuple[Setting, ...] = ()
    """Settings of this kind alone, beside the two above."""
    tables: tuple[str, ...] = ()
    """What is made of its records, each a file of SQL in `tables/sql`; what is read of them for that is in
    the file of the kind's name in `tables/shapes`."""

    @property
    def settings(self) -> tuple[Setting, ...]:
        """All `.env` keys that this kind brings."""
        meaning = f"what the records of {self.name} carry along"
        append = Setting(self.append_key, ",".join(self.appended), appended, meaning)
        limit = (self.seed_limit,) if self.seed_limit else ()
        return (*self.own_settings, *limit, append)

    def web_page(self, tmdb_id: int) -> str:
        """Where TMDb shows a record to people."""
        return f"https://www.themoviedb.org/{self.path}/{tmdb_id}"

    def count(self, number: int) -> str:
        """`3 movies`, `1 movie`."""
        return f"{number:,} {self.singular if number == 1 else self.plural or self.name}"
