"""The spiders, one a kind: ``scrapy list`` shows them."""

from __future__ import annotations

from tmdb_scrapy.kinds import KINDS, Kind
from tmdb_scrapy.spiders.spider import TmdbSpider


def _spider(kind: Kind) -> type[TmdbSpider]:
    described = {"__module__": __name__, "__doc__": f"``scrapy crawl {kind.name}``"}
    return type(f"{kind.name.title()}Spider", (TmdbSpider,), {"name": kind.name, "kind": kind, **described})


SPIDERS = {kind.name: _spider(kind) for kind in KINDS.values()}
"""Each kind's spider, by the kind's name."""

# Scrapy finds spiders among the names of a module.
globals().update({spider.__name__: spider for spider in SPIDERS.values()})
