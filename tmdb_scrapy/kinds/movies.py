"""Movies with their credits, keywords, similar and recommended movies.

https://developer.themoviedb.org/reference/movie-details
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tmdb_scrapy.kinds.kind import Amount, Appended, Deciding, Filter, Kind, Skipped
from tmdb_scrapy.values import Setting, switch, whole_number


class Credits(Appended):
    cast: list[Skipped] | None = None
    crew: list[Skipped] | None = None


class MovieDeciding(Deciding):
    """Amounts are US dollars, 0 when TMDb does not know them."""

    budget: Amount = None
    revenue: Amount = None
    genres: list[Skipped] | None = None
    credits: Credits | None = None


def disqualify(movie: MovieDeciding, settings: Mapping[str, Any]) -> str | None:
    """The first field by which `movie` does not qualify, or None.

    The original's rule: budget > MIN_BUDGET, revenue >= MIN_REVENUE, and genres, cast and crew are all
    non-empty.
    """
    if movie.budget is None or movie.budget <= settings["MIN_BUDGET"]:
        return "budget"
    if movie.revenue is None or movie.revenue < settings["MIN_REVENUE"]:
        return "revenue"
    if not movie.genres:
        return "genres"
    if not (movie.credits and movie.credits.cast):
        return "cast"
    if not movie.credits.crew:
        return "crew"
    return None


KIND = Kind(
    name="movies",
    singular="movie",
    path="movie",
    export="movie_ids",
    title_field="original_title",
    has_popularity=True,
    has_video=True,
    has_changes=True,
    discovered_from="MIN_REVENUE",
    append_key="APPEND_TO_RESPONSE",
    appended=("credits", "keywords", "similar", "recommendations"),
    deciding=MovieDeciding,
    filter=Filter(
        switch="FILTER",
        limits=("MIN_BUDGET", "MIN_REVENUE"),
        needs=("credits",),
        reasons={"budget": b"b", "revenue": b"r", "genres": b"g", "cast": b"c", "crew": b"w"},
        disqualify=disqualify,
    ),
    own_settings=(
        Setting("FILTER", "on", switch, "`off` keeps every movie"),
        Setting("MIN_BUDGET", "1000", whole_number(0), "kept when budget > MIN_BUDGET, in dollars"),
        Setting("MIN_REVENUE", "10000000", whole_number(0), "kept when revenue >= MIN_REVENUE, in dollars"),
    ),
    tables=(
        "movies",
        "movie_cast",
        "movie_crew",
        "people",
        "genres",
        "keywords",
        "companies",
        "countries",
        "languages",
        "collections",
        "movie_genres",
        "movie_keywords",
        "movie_companies",
        "movie_countries",
        "movie_languages",
        "movie_similar",
        "movie_recommendations",
        "external_ids",
        "movies_flat",
    ),
)
