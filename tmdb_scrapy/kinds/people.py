"""People with their movie credits.

https://developer.themoviedb.org/reference/person-details
"""

from tmdb_scrapy.kinds.kind import Kind
from tmdb_scrapy.values import Setting, whole_number

KIND = Kind(
    name="people",
    singular="person",
    path="person",
    export="person_ids",
    has_popularity=True,
    has_changes=True,
    append_key="APPEND_PEOPLE",
    appended=("movie_credits",),
    seed_limit=Setting(
        "POPULAR_PEOPLE", "10000", whole_number(0), "how many of the most popular people are seeded; 0 = all"
    ),
    tables=("people", "person_aliases", "person_credits", "external_ids"),
)
