"""The sorts of movies in the catalogue, each with the outcome a correct collector reaches.

The outcome is written beside the values that cause it and never computed, so that a test that compares a
merged file with it does not lean on the project's own filter.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Outcome = Literal["kept", "dropped", "missing"]
Range = tuple[int, int]
"""Smallest and largest amount in dollars, both included."""

_BIG_BUDGET: Range = (1_002, 250_000_000)
_BIG_REVENUE: Range = (10_000_001, 1_500_000_000)
_ZERO: Range = (0, 0)
"""TMDb's way to say that an amount is unknown."""


@dataclass(frozen=True, slots=True)
class Profile:
    """One sort of movie. None for an amount is a JSON null; a name in `absent` leaves the field out."""

    name: str
    weight: int
    """Movies of this sort in a thousand."""
    outcome: Outcome
    budget: Range | None = _BIG_BUDGET
    revenue: Range | None = _BIG_REVENUE
    genres: bool = True
    cast: bool = True
    crew: bool = True
    absent: frozenset[str] = frozenset()


PROFILES: tuple[Profile, ...] = (
    Profile("successful", 170, "kept"),
    Profile("smallest budget that is kept", 5, "kept", budget=(1_001, 1_001)),
    Profile("smallest revenue that is kept", 5, "kept", revenue=(10_000_000, 10_000_000)),
    Profile("largest budget that is dropped", 5, "dropped", budget=(1_000, 1_000)),
    Profile("largest revenue that is dropped", 5, "dropped", revenue=(9_999_999, 9_999_999)),
    Profile("budget in thousands", 10, "dropped", budget=(1, 999)),
    Profile("budget unknown", 30, "dropped", budget=_ZERO),
    Profile("revenue unknown", 60, "dropped", revenue=_ZERO),
    Profile("revenue too small", 70, "dropped", revenue=(1, 9_999_998)),
    Profile("no genres", 10, "dropped", genres=False),
    Profile("no cast", 10, "dropped", cast=False),
    Profile("no crew", 10, "dropped", crew=False),
    Profile(
        "nothing known", 20, "dropped", budget=_ZERO, revenue=_ZERO, genres=False, cast=False, crew=False
    ),
    Profile("budget null", 3, "dropped", budget=None),
    Profile("revenue null", 3, "dropped", revenue=None),
    Profile("budget absent", 2, "dropped", absent=frozenset({"budget"})),
    Profile("revenue absent", 2, "dropped", absent=frozenset({"revenue"})),
    Profile("genres absent", 2, "dropped", absent=frozenset({"genres"})),
    Profile("deleted since the export", 10, "missing"),
    Profile("obscure", 568, "dropped", budget=_ZERO, revenue=_ZERO),
)

SUCCESSFUL = PROFILES[0]
OBSCURE = PROFILES[-1]

BY_THOUSANDTH: tuple[Profile, ...] = tuple(profile for profile in PROFILES for _ in range(profile.weight))
"""A thousand slots, so that a random number picks a profile by its weight."""

_LIMIT = 10_000_000
OF_BIG_REVENUE = sum(
    profile.weight
    for profile in PROFILES
    if profile.revenue
    and profile.revenue[0] >= _LIMIT
    and profile.outcome != "missing"
    and "revenue" not in profile.absent
) / len(BY_THOUSANDTH)
"""The share of movies whose revenue is the filter's limit or more, kept or not."""
