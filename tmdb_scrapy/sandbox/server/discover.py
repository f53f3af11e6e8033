"""`/discover/movie`: records sorted and sifted, 20 a page."""

from __future__ import annotations

from array import array
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from threading import Lock

import msgspec

from tmdb_scrapy.sandbox.catalogue.catalogue import Catalogue
from tmdb_scrapy.sandbox.catalogue.draws import mix, salt
from tmdb_scrapy.sandbox.server.calendar import Calendar, parse_date
from tmdb_scrapy.sandbox.server.changes import page_number
from tmdb_scrapy.sandbox.server.responses import Response, error
from tmdb_scrapy.sandbox.server.settings import Settings

_A_PAGE = 20
_LAST_PAGE = 500
_USUAL = "popularity.desc"
_A_YEAR = 10_000
_LAST_DAY = 99_999_999
_CARD = (
    "adult", "backdrop_path", "genre_ids", "id", "title", "original_language", "original_title", "overview",
    "popularity", "poster_path", "release_date", "softcore", "video", "vote_average", "vote_count",
)  # fmt: skip
"""The fields of an entry, in TMDb's order: neither budget nor revenue is among them."""


@dataclass(frozen=True, slots=True)
class _Sift:
    """Which records are asked for. Days are numbers such as 20260831; that of a movie without a date is 0, so
    that it is found only where no date is asked for."""

    first_day: int
    last_day: int
    videos: bool


class _Ranking:
    """All records in the order of one field, ascending, with what they are sifted by.

    Numbers in arrays, some twenty bytes a record. Zeros and empty texts need no sorting: they come first.
    """

    def __init__(self, catalogue: Catalogue, kind: str, field: str) -> None:
        valued: list[tuple[float | str, int, int, bool]] = []
        self._ids, self._days, self._videos = array("q"), array("i"), array("b")
        self._rows_of_year: dict[int, array[int]] = {}
        for record_id, value, day, is_video in catalogue.listed(kind, field):
            if value:
                valued.append((value, record_id, day, is_video))
            else:
                self._append(record_id, day, is_video)
        valued.sort()
        for _, record_id, day, is_video in valued:
            self._append(record_id, day, is_video)

    def sifted(self, sift: _Sift) -> array[int]:
        """Their IDs, in the order of the field."""
        ids, days, videos = self._ids, self._days, self._videos
        first, last = sift.first_day, sift.last_day
        rows: Iterable[int] = range(len(ids))
        if first // _A_YEAR == last // _A_YEAR:
            rows = self._rows_of_year.get(first // _A_YEAR, ())
        found = (row for row in rows if first <= days[row] <= last and (sift.videos or not videos[row]))
        return array("q", (ids[row] for row in found))

    def _append(self, record_id: int, day: int, is_video: bool) -> None:
        self._rows_of_year.setdefault(day // _A_YEAR, array("i")).append(len(self._ids))
        self._ids.append(record_id)
        self._days.append(day)
        self._videos.append(is_video)


class Discover:
    """Pages of rankings. The first question for a field takes some seconds in a catalogue of a million, later
    ones none: ask in a thread."""

    def __init__(self, calendar: Calendar, seed: int, settings: Callable[[], Settings]) -> None:
        self._calendar = calendar
        self._seed = seed
        self._settings = settings
        self._lock = Lock()
        self._ranking = lru_cache(maxsize=4)(self._rank)
        self._sifted = lru_cache(maxsize=512)(self._sift)

    def respond(self, kind: str, query: Mapping[str, str]) -> Response:
        """One page; 400 for a page that cannot be. As TMDb, it passes over what it does not know."""
        page = page_number(query, _LAST_PAGE)
        if page is None:
            return error(22)
        field, _, direction = query.get("sort_by", _USUAL).partition(".")
        sift = _asked(query)
        with self._lock:  # one ranking is enough
            try:
                found = self._sifted(self._calendar.day, kind, field, sift)
            except KeyError:
                field, direction = _USUAL.split(".")
                found = self._sifted(self._calendar.day, kind, field, sift)
        is_descending = direction != "asc"
        start = (page - 1) * _A_PAGE + self._shift(f"{kind} {field} {direction} {sift}", page)
        rows = range(max(0, start), min(len(found), max(0, start + _A_PAGE)))
        ids = [found[-1 - row] if is_descending else found[row] for row in rows]
        return Response(200, self._page(kind, ids, page, len(found)))

    def _shift(self, question: str, page: int) -> int:
        """By how many places a page lies elsewhere: each was cached when the ranking was another."""
        most = self._settings().shifting_pages
        if not most:
            return 0
        return mix(self._seed, salt(question), page) % (2 * most + 1) - most

    def _rank(self, day: int, kind: str, field: str) -> _Ranking:
        return _Ranking(self._calendar.catalogue(day), kind, field)

    def _sift(self, day: int, kind: str, field: str, sift: _Sift) -> array[int]:
        return self._ranking(day, kind, field).sifted(sift)

    def _page(self, kind: str, ids: list[int], page: int, total: int) -> bytes:
        bodies = (self._calendar.present.body(kind, number) for number in ids)
        results = [_card(msgspec.json.decode(body)) for body in bodies if body]
        pages = -(-total // _A_PAGE)
        return msgspec.json.encode(
            {"page": page, "results": results, "total_pages": pages, "total_results": total}
        )


def _asked(query: Mapping[str, str]) -> _Sift:
    first = _day(query.get("primary_release_date.gte", ""), 0)
    last = _day(query.get("primary_release_date.lte", ""), _LAST_DAY)
    year = query.get("primary_release_year", "")
    if year.isascii() and year.isdigit():
        first = max(first, int(year) * _A_YEAR + 1)
        last = min(last, int(year) * _A_YEAR + _A_YEAR - 1)
    if last < _LAST_DAY:
        first = max(first, 1)
    return _Sift(first, last, query.get("include_video") == "true")


def _day(text: str, otherwise: int) -> int:
    try:
        return int(parse_date(text).strftime("%Y%m%d"))
    except ValueError:
        return otherwise


def _card(record: dict[str, object]) -> dict[str, object]:
    genres = record.get("genres") or []
    assert isinstance(genres, list)
    filled = record | {"genre_ids": [genre["id"] for genre in genres]}
    return {field: filled[field] for field in _CARD if field in filled}
