"""What is written down of what was seeded."""

from __future__ import annotations

from pathlib import Path

import pytest

from tmdb_scrapy.kinds import KINDS
from tmdb_scrapy.sources.seeded import SeededRecord, Selection


class TestSeededRecord:
    def test_none_yet(self, tmp_path: Path) -> None:
        assert SeededRecord(tmp_path, KINDS["movies"]).all() == []

    def test_each_is_written_down_once(self, tmp_path: Path) -> None:
        first, second = Selection(file="a.json", limit=5), Selection(file="a.json", no_video=True)
        for selection in (first, second, first):
            SeededRecord(tmp_path / "exports", KINDS["movies"]).begin(selection)
            SeededRecord(tmp_path / "exports", KINDS["movies"]).finish(selection)
        assert SeededRecord(tmp_path / "exports", KINDS["movies"]).all() == [first, second]
        assert SeededRecord(tmp_path / "exports", KINDS["people"]).all() == []

    def test_what_was_begun_is_known_until_it_is_done(self, tmp_path: Path) -> None:
        selection = Selection(file="a.json", limit=5)
        assert SeededRecord(tmp_path, KINDS["movies"]).unfinished() is None
        SeededRecord(tmp_path, KINDS["movies"]).begin(selection)
        assert SeededRecord(tmp_path, KINDS["movies"]).unfinished() == selection
        assert SeededRecord(tmp_path, KINDS["people"]).unfinished() is None
        SeededRecord(tmp_path, KINDS["movies"]).finish(selection)
        assert SeededRecord(tmp_path, KINDS["movies"]).unfinished() is None

    @pytest.mark.parametrize("left", [b"", b'{"file":"a.js'])
    def test_a_note_that_a_crash_has_cut_does_not_stop_the_next_seeding(
        self, tmp_path: Path, left: bytes
    ) -> None:
        (tmp_path / "movies.seeding.json").write_bytes(left)
        assert SeededRecord(tmp_path, KINDS["movies"]).unfinished() is None

    def test_a_record_that_a_crash_has_cut_does_not_spoil_the_next(self, tmp_path: Path) -> None:
        first, second = Selection(file="a.json"), Selection(file="b.json")
        SeededRecord(tmp_path, KINDS["movies"]).finish(first)
        with (tmp_path / "movies.seeds.jsonl").open("ab") as file:
            file.write(b'{"file":"a.js')
        SeededRecord(tmp_path, KINDS["movies"]).finish(second)
        assert SeededRecord(tmp_path, KINDS["movies"]).all() == [first, second]
