"""Series with their credits, keywords, similar and recommended series, and the IDs that others have for them.

https://developer.themoviedb.org/reference/tv-series-details
"""

from tmdb_scrapy.kinds.kind import Kind

KIND = Kind(
    name="tv",
    singular="series",
    plural="series",
    path="tv",
    export="tv_series_ids",
    title_field="original_name",
    has_popularity=True,
    has_changes=True,
    append_key="APPEND_TV",
    appended=("aggregate_credits", "keywords", "similar", "recommendations", "external_ids"),
    tables=(
        "tv",
        "tv_cast",
        "tv_crew",
        "tv_creators",
        "tv_seasons",
        "people",
        "genres",
        "keywords",
        "companies",
        "networks",
        "countries",
        "languages",
        "tv_genres",
        "tv_keywords",
        "tv_companies",
        "tv_networks",
        "tv_countries",
        "tv_languages",
        "tv_similar",
        "tv_recommendations",
        "external_ids",
    ),
)
