"""Which day it is in the sandbox."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from functools import lru_cache

from tmdb_scrapy.sandbox.catalogue.catalogue import Catalogue


class Calendar:
    """The present day as a number (0 is the catalogue as it was made) and as a date, and what there is on it.

    Unless it is told a date, the present day is today (UTC), whatever its number: the day before it was
    yesterday, and so on.
    """

    def __init__(self, catalogue: Catalogue) -> None:
        self._catalogue_of = lru_cache(maxsize=8)(catalogue.at)
        self.set(0, None)

    def set(self, day: int, today: date | None) -> None:
        """It is this day, with this date, from now on."""
        self.day = day
        self._today = today
        self.present = self._catalogue_of(day)

    @property
    def today(self) -> date:
        return self._today or datetime.now(UTC).date()

    def number(self, date_: date) -> int:
        """The number of a date's day; below 0 before the catalogue was made."""
        return self.day - (self.today - date_).days

    def catalogue(self, day: int) -> Catalogue:
        return self._catalogue_of(day)


def parse_date(text: str) -> date:
    """Of `2026-08-31`; raises ValueError."""
    if len(text) != len("2026-08-31"):
        raise ValueError(f"{text!r}: expected a date such as 2026-08-31")
    return date.fromisoformat(text)


def days_between(first: date, last: date) -> list[date]:
    """From the first to the last, both included."""
    return [first + timedelta(days=number) for number in range((last - first).days + 1)]
