"""Collections: a film and its sequels.

https://developer.themoviedb.org/reference/collection-details
"""

from tmdb_scrapy.kinds.kind import Kind

KIND = Kind(
    name="collections",
    singular="collection",
    path="collection",
    export="collection_ids",
    append_key="APPEND_COLLECTIONS",
    tables=("collections", "collection_movies"),
)
