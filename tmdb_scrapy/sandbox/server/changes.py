"""`/movie/changes` and `/person/changes`: the IDs that changed on the days asked for."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, timedelta
from functools import lru_cache

import msgspec

from tmdb_scrapy.sandbox.catalogue.catalogue import Catalogue
from tmdb_scrapy.sandbox.catalogue.draws import mix
from tmdb_scrapy.sandbox.server.responses import Response, error

_A_PAGE = 100
_MAX_DAYS = 14
_MAX_PAGE = 500
_CHANGED = 25
"""One record in so many changes on a day; TMDb's share is a sixth of it, too few for a small catalogue."""


class Changes:
    """Draws the changed IDs of any day from the seed."""

    def __init__(self, catalogue: Catalogue, seed: int) -> None:
        self._catalogue = catalogue
        self._seed = seed
        self._changed = lru_cache(maxsize=8)(self._find)

    def answer(self, kind: str, query: Mapping[str, str], today: date) -> Response:
        """One page; 422 for days more than 14 apart, 400 for a page that cannot be."""
        try:
            last = date.fromisoformat(query.get("end_date") or today.isoformat())
            first = date.fromisoformat(query.get("start_date") or (last - timedelta(days=1)).isoformat())
        except ValueError:
            return error(20)
        if not timedelta(0) <= last - first <= timedelta(days=_MAX_DAYS):
            return error(20)
        page = query.get("page", "1")
        if not (page.isascii() and page.isdigit() and 1 <= int(page) <= _MAX_PAGE):
            return error(22)
        changed = self._changed(kind, first, last)
        return Response(200, self._page(changed, int(page)))

    def ids(self, kind: str, first: date, last: date) -> tuple[int, ...]:
        """Every ID that changed from the first day to the last, both included, ascending."""
        return self._changed(kind, first, last)

    def _find(self, kind: str, first: date, last: date) -> tuple[int, ...]:
        days = range(first.toordinal(), last.toordinal() + 1)
        return tuple(
            record_id
            for record_id in self._catalogue.ids(kind)
            if any(mix(self._seed, record_id, day) % _CHANGED == 0 for day in days)
        )

    def _page(self, changed: tuple[int, ...], page: int) -> bytes:
        results = [self._result(record_id) for record_id in changed[(page - 1) * _A_PAGE : page * _A_PAGE]]
        pages = -(-len(changed) // _A_PAGE)
        return msgspec.json.encode(
            {"results": results, "page": page, "total_pages": pages, "total_results": len(changed)}
        )

    def _result(self, record_id: int) -> dict[str, object]:
        """`adult` is null for some, as it is for records that TMDb has deleted."""
        adult = None if mix(self._seed, record_id) % 10 == 0 else False
        return {"id": record_id, "adult": adult, "softcore": adult}
