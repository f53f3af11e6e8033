"""`/movie/changes` and its like: the IDs that changed on the days asked for."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date, timedelta
from functools import lru_cache

import msgspec

from tmdb_scrapy.sandbox.catalogue.draws import mix, unit
from tmdb_scrapy.sandbox.server.calendar import Calendar, days_between, parse_date
from tmdb_scrapy.sandbox.server.responses import Response, error
from tmdb_scrapy.sandbox.server.settings import Settings

_A_PAGE = 100
_MOST_DAYS = 14
_LAST_PAGE = 500
_NO_ID = 150
"""One entry in so many has a null for an ID."""
_TWICE = 60
"""One entry in so many comes again."""
_NO_ADULT = 10
"""One entry in so many has a null for `adult`."""


class Changes:
    """The feed of every kind that has one: newest day first, some entries twice, some without an ID.

    It tells neither of popularity nor of deletions. Records that were merged into others are not in it, those
    that others were merged into are.
    """

    def __init__(self, calendar: Calendar, seed: int, settings: Callable[[], Settings]) -> None:
        self._calendar = calendar
        self._seed = seed
        self._settings = settings
        self._entries_of = lru_cache(maxsize=32)(self._entries)

    def respond(self, kind: str, query: Mapping[str, str]) -> Response:
        """One page; 422 for days more than 14 apart, 400 for a page that cannot be."""
        today = self._calendar.today
        try:
            last = parse_date(query.get("end_date") or today.isoformat())
            first = parse_date(query.get("start_date") or (last - timedelta(days=1)).isoformat())
        except ValueError:
            return error(20)
        if not timedelta(0) <= last - first <= timedelta(days=_MOST_DAYS):
            return error(20)
        page = page_number(query, _LAST_PAGE)
        if page is None:
            return error(22)
        return Response(200, self._page(self._told(kind, first, last), page))

    def _told(self, kind: str, first: date, last: date) -> list[int | None]:
        late = self._settings().late_changes
        entries: list[int | None] = []
        for day in reversed(days_between(first, last)):
            if day <= self._calendar.today:
                number = self._calendar.number(day)
                is_late = late if number == self._calendar.day else 0.0
                entries += self._entries_of(kind, number, is_late)
        return entries

    def _entries(self, kind: str, day: int, late: float) -> list[int | None]:
        """What is told of a day, less a share that a cache does not have yet."""
        entries: list[int | None] = []
        for number in self._calendar.catalogue(day).changed(kind):
            chance = mix(self._seed, number, day)
            if unit(chance) < late:
                continue
            entries.append(number)
            if chance % _TWICE == 0:
                entries.append(number)
            if chance % _NO_ID == 1:
                entries.append(None)
        return entries

    def _page(self, entries: list[int | None], page: int) -> bytes:
        results = [self._result(number) for number in entries[(page - 1) * _A_PAGE : page * _A_PAGE]]
        pages = -(-len(entries) // _A_PAGE)
        return msgspec.json.encode(
            {"results": results, "page": page, "total_pages": pages, "total_results": len(entries)}
        )

    def _result(self, number: int | None) -> dict[str, object]:
        """`adult` is null where the ID is, and for some more."""
        if number is None or mix(self._seed, number) % _NO_ADULT == 0:
            return {"id": number, "adult": None}
        return {"id": number, "adult": False, "softcore": False}


def page_number(query: Mapping[str, str], last: int) -> int | None:
    """The page that is asked for, the first if none is; None for one that cannot be."""
    page = query.get("page", "1")
    return int(page) if page.isascii() and page.isdigit() and 1 <= int(page) <= last else None
