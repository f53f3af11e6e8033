"""Finding what earned most by `/discover`: some thousand requests in place of a million.

https://developer.themoviedb.org/reference/discover-movie: 20 entries a page, at most 500 pages. The entries
are sorted by revenue and do not tell it, so the record of an entry says on which side of the limit it lies.
Pages are cached apart while the ranking moves: entries at their borders come twice, or not at all. So all is
listed three times, by a release year, by several and as a whole: page borders lie elsewhere each time.
What has no date is in the whole alone.

It is never proven that all were found: only an export has all.
"""

from __future__ import annotations

import asyncio
import datetime
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from pathlib import Path

import msgspec

from tmdb_scrapy import privacy
from tmdb_scrapy.kinds import Kind
from tmdb_scrapy.sources.changes import Ask, decoded

LAST_PAGE = 500
FIRST_YEAR = 1900
"""The years before are one slice."""
YEARS_AHEAD = 1
"""The years after next year are one slice too."""
SEVERAL_YEARS = 4
FIRST_DAY, LAST_DAY = datetime.date(1800, 1, 1), datetime.date(2999, 12, 31)

Look = Callable[[str, Mapping[str, str]], Awaitable[bytes | None]]
"""As `Ask`, with None for what is not there."""
Slice = tuple[datetime.date, datetime.date]


class _Entry(msgspec.Struct):
    id: int


class _Page(msgspec.Struct):
    results: list[_Entry]
    total_pages: int = 0


class _Record(msgspec.Struct):
    revenue: int | float | None = None


async def discover(ask: Ask, look: Look, kind: Kind, least: int, this_year: int) -> list[int]:
    """The IDs of what has a revenue of `least` or more, as far as discover tells, ascending.

    Raises `FeedError`, and what `ask` and `look` raise.
    """
    ranking = _Ranking(ask, look, kind, least)
    listed = [*slices(this_year, 1), *slices(this_year, SEVERAL_YEARS)]
    found = await asyncio.gather(ranking.whole(), *map(ranking.of, listed))
    return sorted(set().union(*found))


def slices(this_year: int, years: int) -> Iterator[Slice]:
    """All days there may be, so many years a slice; none twice."""
    yield FIRST_DAY, datetime.date(FIRST_YEAR - 1, 12, 31)
    year = FIRST_YEAR
    while year <= this_year + YEARS_AHEAD:
        yield datetime.date(year, 1, 1), datetime.date(year + years - 1, 12, 31)
        year += years
    yield datetime.date(year, 1, 1), LAST_DAY


def write_discovered(file: Path, ids: list[int]) -> list[int]:
    """Add to the IDs that were discovered before; returns all. Raises `OSError`."""
    known = sorted({*read_discovered(file), *ids})
    privacy.directory(file.parent)
    privacy.write(file, "".join(f"{each}\n" for each in known).encode())
    return known


def read_discovered(file: Path) -> list[int]:
    """The IDs that were discovered, ascending; none where nothing was. Raises `OSError`."""
    return [int(line) for line in file.read_text(encoding="ascii").split()] if file.exists() else []


class _Ranking:
    """All of a kind, by revenue, the highest first."""

    def __init__(self, ask: Ask, look: Look, kind: Kind, least: int) -> None:
        self._ask, self._look = ask, look
        self._kind, self._least = kind, least
        self._earned: dict[int, bool] = {}
        """By ID: whether its record has the revenue."""

    async def whole(self) -> set[int]:
        """Without a date: what has none is found here alone, as far as 500 pages reach."""
        return (await self._listed({}))[0]

    async def of(self, days: Slice) -> set[int]:
        """Those that were released on these days."""
        first, last = days
        query = {"primary_release_date.gte": first.isoformat(), "primary_release_date.lte": last.isoformat()}
        found, is_cut_off = await self._listed(query)
        if not is_cut_off or first == last:
            return found
        middle = first + (last - first) // 2
        halves = ((first, middle), (middle + datetime.timedelta(days=1), last))
        return found.union(*await asyncio.gather(*(self.of(half) for half in halves)))

    async def _listed(self, query: Mapping[str, str]) -> tuple[set[int], bool]:
        """Those of a list that have the revenue, and whether TMDb gives no page for more of them."""
        pages = _Pages(self._ask, self._kind, query)
        first = await pages.page(1)
        there = min(first.total_pages, LAST_PAGE)
        end = await self._last_page(pages, there)
        read = await asyncio.gather(*(pages.page(number) for number in range(1, end + 1)))
        entries = [entry for page in read for entry in page.results]
        if read:
            # Only the last page has some on both sides.
            begin = len(entries) - len(read[-1].results)
            entries = entries[
                : await self._border(lambda at: self._is_above(entries[at:]), begin, len(entries))
            ]
        is_cut_off = end == LAST_PAGE < first.total_pages
        return {entry.id for entry in entries}, is_cut_off

    async def _last_page(self, pages: _Pages, there: int) -> int:
        """The last page that begins with one that has the revenue; 0 when none does. Further and further,
        then by bisecting: what lies before is to be read anyhow."""

        async def begins_above(number: int) -> bool:
            return await self._is_above((await pages.page(number)).results)

        beyond = 1
        while beyond <= there and await begins_above(beyond):
            beyond *= 2
        return await self._border(begins_above, beyond // 2, min(beyond, there + 1)) - 1

    async def _border(self, is_above: Callable[[int], Awaitable[bool]], above: int, below: int) -> int:
        """The first number that is not above the limit: `above` is, or is no number; `below` is not."""
        while below - above > 1:
            middle = (above + below) // 2
            if await is_above(middle):
                above = middle
            else:
                below = middle
        return below

    async def _is_above(self, entries: Sequence[_Entry]) -> bool:
        """Whether the first of these that is still there has the revenue."""
        for entry in entries:
            if (known := await self._has_earned(entry.id)) is not None:
                return known
        return False

    async def _has_earned(self, tmdb_id: int) -> bool | None:
        """None for one that is not there any more."""
        if tmdb_id not in self._earned:
            body = await self._look(f"{self._kind.path}/{tmdb_id}", {})
            if body is None:
                return None
            revenue = decoded(body, _Record, f"discover of {self._kind.name}").revenue or 0
            self._earned[tmdb_id] = revenue >= self._least
        return self._earned[tmdb_id]


class _Pages:
    """The pages of one list, each asked for once."""

    def __init__(self, ask: Ask, kind: Kind, query: Mapping[str, str]) -> None:
        self._ask, self._kind = ask, kind
        self._query = {**query, "sort_by": "revenue.desc", "include_video": "true"}
        self._pages: dict[int, _Page] = {}

    async def page(self, number: int) -> _Page:
        if number not in self._pages:
            body = await self._ask(f"discover/{self._kind.path}", {**self._query, "page": str(number)})
            self._pages[number] = decoded(body, _Page, f"discover of {self._kind.name}")
        return self._pages[number]
