from __future__ import annotations

import asyncio
import datetime
import itertools
import json
from collections.abc import Mapping

import pytest

from tmdb_scrapy.kinds import KINDS
from tmdb_scrapy.sources.changes import FeedError, changed, days_in_windows

DAY = datetime.date(2026, 8, 1)


def day(number: int) -> datetime.date:
    return DAY + datetime.timedelta(days=number)


class Feed:
    """Answers as TMDb does, and writes down what it was asked."""

    def __init__(self, a_day: int = 0, **days: list[int | None]) -> None:
        self.asked: list[tuple[str, str, int]] = []
        self._days = {day(int(name[1:])): ids for name, ids in days.items()}
        self._a_day = a_day

    async def ask(self, path: str, query: Mapping[str, str]) -> bytes:
        first, last, page = query["start_date"], query["end_date"], int(query["page"])
        self.asked.append((first, last, page))
        assert path == "movie/changes" and 1 <= page <= 500
        begin, end = datetime.date.fromisoformat(first), datetime.date.fromisoformat(last)
        assert 0 <= (end - begin).days <= 14
        ids: list[int | None] = []
        for number in range((end - begin).days + 1):
            each = begin + datetime.timedelta(days=number)
            ordinal = (each - DAY).days
            ids += self._days.get(each, [])
            ids += range(ordinal * self._a_day + 1, (ordinal + 1) * self._a_day + 1)
        results = [{"id": each, "adult": None} for each in ids[(page - 1) * 100 : page * 100]]
        return json.dumps({"results": results, "page": page, "total_pages": -(-len(ids) // 100)}).encode()


def told(feed: Feed, first: int, last: int) -> set[int]:
    return asyncio.run(changed(feed.ask, KINDS["movies"], day(first), day(last)))


def test_ids_of_all_pages_without_nulls_and_each_once() -> None:
    feed = Feed(d0=[*range(1, 251), None, 7, 7], d1=[250, 300])
    assert told(feed, 0, 1) == {*range(1, 251), 300}
    assert [page for *_, page in feed.asked] == [1, 2, 3]


@pytest.mark.parametrize(("last", "windows"), [(0, 1), (13, 1), (14, 2), (27, 2), (28, 3), (364, 27)])
def test_a_long_pause_is_walked_in_windows_of_fourteen_days_without_a_gap(last: int, windows: int) -> None:
    found = list(days_in_windows(day(0), day(last)))
    assert len(found) == windows and found[0][0] == day(0) and found[-1][1] == day(last)
    assert all((end - begin).days < 14 for begin, end in found)
    assert all(
        after - end == datetime.timedelta(days=1) for (_, end), (after, _) in itertools.pairwise(found)
    )


def test_a_window_of_more_than_500_pages_is_halved_not_cut_off() -> None:
    feed = Feed(a_day=9_000)
    assert told(feed, 0, 9) == set(range(1, 90_001))
    assert max(page for *_, page in feed.asked) <= 500


def test_a_single_day_of_more_than_500_pages_is_refused_with_a_way_out() -> None:
    with pytest.raises(FeedError, match="--all"):
        told(Feed(a_day=50_001), 0, 0)


def test_entries_that_move_to_later_pages_while_it_is_read_are_not_lost() -> None:
    class Growing(Feed):
        async def ask(self, path: str, query: Mapping[str, str]) -> bytes:
            page = json.loads(await super().ask(path, query))
            if query["page"] == "1":
                page["total_pages"] = 2
            return json.dumps(page).encode()

    assert told(Growing(a_day=250), 0, 0) == set(range(1, 251))


def test_what_is_no_page_of_a_feed_is_refused() -> None:
    async def nonsense(path: str, query: Mapping[str, str]) -> bytes:
        return b'{"success": true}'

    with pytest.raises(FeedError, match="page 1 of the change feed of movies"):
        asyncio.run(changed(nonsense, KINDS["movies"], DAY, DAY))
