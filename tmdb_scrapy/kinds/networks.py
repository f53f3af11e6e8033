"""Networks that broadcast series.

https://developer.themoviedb.org/reference/network-details
"""

from tmdb_scrapy.kinds.kind import Kind

KIND = Kind(
    name="networks",
    singular="network",
    path="network",
    export="tv_network_ids",
    append_key="APPEND_NETWORKS",
    tables=("networks",),
)
