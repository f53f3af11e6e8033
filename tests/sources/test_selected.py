"""Which IDs of an export are seeded, and in which order."""

from __future__ import annotations

import itertools
import json
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from tmdb_scrapy.kinds import KINDS
from tmdb_scrapy.sources.seeded import Selection
from tmdb_scrapy.sources.selected import select

MOVIES = KINDS["movies"]


def lines(*rows: tuple[int, float, bool]) -> str:
    return "".join(
        json.dumps({"adult": False, "id": i, "original_title": "x", "popularity": p, "video": v}) + "\n"
        for i, p, v in rows
    )


def selected(tmp_path: Path, text: str, **options: Any) -> list[int]:
    path = tmp_path / "ids.json"
    path.write_text(text)
    return list(select(Selection(file=str(path), **options), MOVIES).ids)


class TestSelect:
    ROWS = lines((1, 0.5, False), (2, 30.0, True), (3, 7.25, False), (4, 30.5, False))

    @pytest.mark.parametrize(
        ("options", "ids"),
        [
            ({}, [4, 2, 3, 1]),
            ({"limit": 2}, [4, 2]),
            ({"limit": 9}, [4, 2, 3, 1]),
            ({"min_popularity": 7.25}, [4, 2, 3]),
            ({"min_popularity": 7.26}, [4, 2]),
            ({"no_video": True}, [4, 3, 1]),
            ({"no_video": True, "limit": 2}, [4, 3]),
            ({"min_popularity": 99.0}, []),
        ],
    )
    def test_only_the_chosen_ones_most_popular_first(
        self, tmp_path: Path, options: dict[str, Any], ids: list[int]
    ) -> None:
        assert selected(tmp_path, self.ROWS, **options) == ids

    def test_equally_popular_ones_have_a_fixed_order(self, tmp_path: Path) -> None:
        orders = {
            tuple(selected(tmp_path, lines(*((i, 1.0, False) for i in order))))
            for order in itertools.permutations([5, 6, 7])
        }
        assert orders == {(5, 6, 7)}

    def test_a_negative_popularity_comes_last_and_is_not_left_out(self, tmp_path: Path) -> None:
        assert selected(tmp_path, lines((1, -3.0, False), (2, 0.0, False))) == [2, 1]

    def test_an_id_twice_is_taken_once_where_it_is_most_popular(self, tmp_path: Path) -> None:
        assert selected(tmp_path, lines((1, 1.0, False), (2, 5.0, False), (1, 9.0, False))) == [1, 2]

    def test_an_export_without_popularity_keeps_its_order(self, tmp_path: Path) -> None:
        path = tmp_path / "keywords.json"
        path.write_text("".join(f'{{"id":{n},"name":"x"}}\n' for n in (3, 5, 8)))
        assert list(select(Selection(file=str(path)), KINDS["keywords"]).ids) == [3, 5, 8]

    def test_nobody_is_lost(self, tmp_path: Path) -> None:
        rows = [(n, (n * 7919 % 1000) / 10, n % 3 == 0) for n in range(1, 3_000)]
        assert Counter(selected(tmp_path, lines(*rows))) == Counter(n for n, _, _ in rows)
