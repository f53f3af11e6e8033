"""Collects The Movie Database: a Scrapy project whose workers share one queue in Redis."""

__version__ = "0.1.0"
"""The only place that says it: the package's metadata, releases on hosts and the User-Agent ask here."""

USER_AGENT = f"tmdb-scrapy/{__version__}"
"""How every HTTP client of the program names itself, as RFC 9110, section 10.1.5, has it."""
