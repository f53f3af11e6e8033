"""What a report tells of the movies: counts, whether they were made from tables or from lines."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import NamedTuple

RUNTIME_STEP, LONGEST_RUNTIME = 10, 240
"""Minutes of a class of runtimes; what lasts longer is in the last."""
CONNECTED = 15
"""So many people are named."""
FIRST_CANDIDATES = 250
"""Of the people with the highest bounds so many are looked at first, then four times as many, and so on."""
FIELDS = (
    "title", "imdb_id", "release_date", "runtime", "budget", "revenue", "votes", "overview", "tagline",
    "homepage", "poster", "backdrop", "collection", "genres", "keywords", "companies", "countries",
    "languages", "cast", "crew",
)  # fmt: skip
"""What a movie can have or lack."""


class Amount(NamedTuple):
    """A class of amounts: from `digit` times ten to the `power` to the next; digits are 1, 2 and 5."""

    power: int
    digit: int

    @classmethod
    def of(cls, dollars: int) -> Amount:
        """Of an amount above 0."""
        digits = str(dollars)
        first = digits[0]
        return cls(len(digits) - 1, 1 if first == "1" else 2 if first < "5" else 5)

    @property
    def dollars(self) -> int:
        """The least amount of the class."""
        return int(self.digit * 10**self.power)


class Connected(NamedTuple):
    """A person, and with how many others that person was in a cast."""

    name: str
    person_id: int
    others: int
    movies: int


@dataclass(slots=True)
class Collected:
    """Movies, counted. Where a movie has several of a thing, each counts once."""

    movies: int = 0
    decades: Counter[int] = field(default_factory=Counter)
    """By the first year of the decade of the first release."""
    languages: Counter[str] = field(default_factory=Counter)
    """By the original language: its English name, or its code where no movie tells the name."""
    countries: Counter[str] = field(default_factory=Counter)
    """By the countries of production."""
    genres: Counter[str] = field(default_factory=Counter)
    money: Counter[tuple[Amount, Amount]] = field(default_factory=Counter)
    """By the classes of budget and revenue, where both are known."""
    runtimes: Counter[int] = field(default_factory=Counter)
    """By the first minute of a class."""
    votes: Counter[int] = field(default_factory=Counter)
    """By the whole number below the mean vote, of those with any vote."""
    complete: Counter[str] = field(default_factory=Counter)
    """How many have each of `FIELDS`."""
    connected: list[Connected] = field(default_factory=list)
    """Those who were in casts with most others, the first `CONNECTED`."""
