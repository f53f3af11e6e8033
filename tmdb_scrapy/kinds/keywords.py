"""Keywords of movies and series.

https://developer.themoviedb.org/reference/keyword-details
"""

from tmdb_scrapy.kinds.kind import Kind

KIND = Kind(
    name="keywords",
    singular="keyword",
    path="keyword",
    export="keyword_ids",
    append_key="APPEND_KEYWORDS",
    tables=("keywords",),
)
