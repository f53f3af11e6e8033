"""tmdb_scrapy.records.chosen: many lines at a time, chosen as if they came one by one."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from tmdb_scrapy.records.chosen import EARLIER, FIRST_PART, Chosen
from tmdb_scrapy.records.columns import ENTRY, Entries, from_single
from tmdb_scrapy.records.index import Entry

IDS = 4
TIMES = st.integers(1, 5)


def lines(pairs: list[tuple[int, int]], first: int = 0) -> Entries:
    """From pairs of ID and time; each line tells itself by its offset, from `first` on."""
    entries = (Entry(tmdb_id, 1, time, first + n, n) for n, (tmdb_id, time) in enumerate(pairs))
    return next(from_single(entries), np.zeros(0, ENTRY))


def one_by_one(
    earlier: dict[int, int], parts: list[list[tuple[int, int]]]
) -> dict[int, tuple[int, int, int]]:
    """By ID: time, source and offset of its line."""
    chosen = {tmdb_id: (time, EARLIER, n) for n, (tmdb_id, time) in enumerate(earlier.items())}
    for source, part in enumerate(parts, FIRST_PART):
        for offset, (tmdb_id, time) in enumerate(part):
            held = chosen.get(tmdb_id)
            if held is None or time > held[0] or (time == held[0] and held[1] != EARLIER):
                chosen[tmdb_id] = (time, source, offset)
    return chosen


@given(
    st.dictionaries(st.integers(0, IDS - 1), TIMES),
    st.lists(st.lists(st.tuples(st.integers(0, IDS - 1), TIMES), max_size=12), max_size=4),
)
def test_the_newest_of_each_id(earlier: dict[int, int], parts: list[list[tuple[int, int]]]) -> None:
    chosen = Chosen(IDS)
    chosen.take(lines(list(earlier.items())), EARLIER)
    set_aside = sum(chosen.offer(lines(part), source) for source, part in enumerate(parts, FIRST_PART))
    expected = one_by_one(earlier, parts)
    assert {
        tmdb_id: (int(chosen.answered_ns[tmdb_id]), int(chosen.source[tmdb_id]), int(chosen.offset[tmdb_id]))
        for ids in chosen.ids()
        for tmdb_id in ids.tolist()
    } == expected
    came = {tmdb_id for part in parts for tmdb_id, _ in part}
    if not earlier:
        assert set_aside == sum(map(len, parts)) - len(came)


def test_an_id_beyond_all_columns_was_not_chosen() -> None:
    chosen = Chosen(IDS)
    chosen.take(lines([(1, 1)]), FIRST_PART)
    assert chosen.of(lines([(IDS, 1), (1 << 28, 1)]), FIRST_PART).tolist() == []
    assert not chosen.source[-1]


def test_what_it_knows_of_a_line_takes_29_bytes() -> None:
    assert sum(column.itemsize for column in vars(Chosen(IDS)).values()) == 29
