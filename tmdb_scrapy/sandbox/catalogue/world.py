"""What holds for all kinds of a generated catalogue."""

from __future__ import annotations

from dataclasses import dataclass

from tmdb_scrapy.sandbox.catalogue.appended import Appended


@dataclass(frozen=True, kw_only=True)
class World:
    """One seed, and how its records are drawn."""

    seed: int
    appended: Appended
    body_size: int = 0
    """Bytes to which bodies are padded; 0 leaves them as they are."""
    deleted_share: float = 0.0
    """Share of the exported IDs that lead to a 404, the most popular among them; 0 for TMDb's 1 %."""
    successful: int | None = None
    """About so many movies have a revenue from 10,000,000 upwards; None for a quarter of them."""
    changed_share: float = 0.04
    """Share of the records that are edited a day. TMDb's is 0.008, too few for a small catalogue."""
