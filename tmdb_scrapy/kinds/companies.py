"""Companies that produce.

https://developer.themoviedb.org/reference/company-details
"""

from tmdb_scrapy.kinds.kind import Kind

KIND = Kind(
    name="companies",
    singular="company",
    path="company",
    export="production_company_ids",
    append_key="APPEND_COMPANIES",
    tables=("companies",),
)
