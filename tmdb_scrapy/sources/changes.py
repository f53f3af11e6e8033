"""TMDb's change feed: which IDs were edited on some days.

https://developer.themoviedb.org/reference/changes-movie-list: 100 entries a page, at most 500 pages, days at
most 14 apart. It tells neither of popularity nor of deletions.
"""

from __future__ import annotations

import asyncio
import datetime
from collections.abc import Awaitable, Callable, Iterator, Mapping
from typing import TypeVar

import msgspec

from tmdb_scrapy.kinds import Kind

MOST_DAYS = 14
LAST_PAGE = 500

Type = TypeVar("Type")

Ask = Callable[[str, Mapping[str, str]], Awaitable[bytes]]
"""Asks the API for a path with a query; the body of its answer."""


class FeedError(Exception):
    """The feed cannot be read; the text says why, and what to do next."""


class _Entry(msgspec.Struct):
    id: int | None = None


class _Page(msgspec.Struct):
    results: list[_Entry]
    total_pages: int


def days_in_windows(
    first: datetime.date, last: datetime.date
) -> Iterator[tuple[datetime.date, datetime.date]]:
    """From the first day to the last, both included, in windows that TMDb answers."""
    while first <= last:
        end = min(first + datetime.timedelta(days=MOST_DAYS - 1), last)
        yield first, end
        first = end + datetime.timedelta(days=1)


async def changed(ask: Ask, kind: Kind, first: datetime.date, last: datetime.date) -> set[int]:
    """The IDs that the feed names on these days, both included. Raises `FeedError`, and what `ask` raises."""
    found: set[int] = set()
    for window in days_in_windows(first, last):
        found |= await _window(ask, kind, *window)
    return found


async def _window(ask: Ask, kind: Kind, first: datetime.date, last: datetime.date) -> set[int]:
    page = await _page(ask, kind, first, last, 1)
    found = _ids(page)
    if page.total_pages > LAST_PAGE:
        if first == last:
            raise FeedError(
                f"the change feed of {kind.name} has {page.total_pages:,} pages for {first}, and TMDb gives "
                f"{LAST_PAGE}: nothing was queued. Run: scrapy refresh {kind.name} --all"
            )
        middle = first + (last - first) // 2
        found |= await _window(ask, kind, first, middle)
        return found | await _window(ask, kind, middle + datetime.timedelta(days=1), last)
    read, there = 1, page.total_pages
    # The feed may grow while it is read: its entries move towards later pages then.
    while read < there:
        numbers = range(read + 1, min(there, LAST_PAGE) + 1)
        pages = await asyncio.gather(*(_page(ask, kind, first, last, number) for number in numbers))
        for each in pages:
            found |= _ids(each)
        read = there
        there = min(max((each.total_pages for each in pages), default=there), LAST_PAGE)
    return found


async def _page(ask: Ask, kind: Kind, first: datetime.date, last: datetime.date, number: int) -> _Page:
    query = {"start_date": first.isoformat(), "end_date": last.isoformat(), "page": str(number)}
    body = await ask(f"{kind.path}/changes", query)
    return decoded(body, _Page, f"page {number} of the change feed of {kind.name}")


def decoded(body: bytes, type_: type[Type], what: str) -> Type:
    """What a body says. Raises `FeedError`, which names `what` it is."""
    try:
        return msgspec.json.decode(body, type=type_)
    except msgspec.DecodeError as error:
        raise FeedError(
            f"{what} is not as TMDb documents it ({error}): nothing was queued. Check TMDB_API_URL, or try "
            "again later"
        ) from None


def _ids(page: _Page) -> set[int]:
    return {entry.id for entry in page.results if entry.id is not None and entry.id > 0}
