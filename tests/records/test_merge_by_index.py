"""Merging by indexes: the newest line of each ID, checked, and none less than before without a reason."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest
from movie_records import Records

from tmdb_scrapy.records.columns import by_offset
from tmdb_scrapy.records.index import ENTRY_BYTES, HEADER_BYTES, SortedIndex, index_of
from tmdb_scrapy.records.merge_lock import MergeIsRunning, merge_lock
from tmdb_scrapy.records.merged import find_line

Flip = Callable[[Path, bytes], None]


class TestNewest:
    """By the time of the answer, whatever the files' times are."""

    def test_mtime_does_not_matter(self, records: Records) -> None:
        new = records.part("a", (1, 200, "new"))
        old = records.part("b", (1, 100, "old"))
        os.utime(new, (1, 1))
        os.utime(old, (9_999_999_999, 9_999_999_999))
        assert records.merge("k").duplicates == 1
        assert records.titles() == {1: "new"}

    def test_an_older_line_that_comes_later_changes_nothing(self, records: Records) -> None:
        records.part("a", (1, 200, "new"))
        records.merge("k")
        records.part("b", (1, 100, "old"))
        assert records.merge("k").updated == 0
        assert records.titles() == {1: "new"}

    def test_a_clock_that_is_set_back_does_not_make_an_older_line_of_a_part_the_newest(
        self, records: Records
    ) -> None:
        records.part("a", (1, 200, "first"), (1, 100, "second"))
        records.merge("k")
        assert records.titles() == {1: "second"}

    def test_of_two_lines_of_one_time_in_two_parts_the_last_part_by_name_has_it_always(
        self, records: Records
    ) -> None:
        for name in ("b", "c", "a"):
            records.part(name, (1, 100, name))
        assert records.merge("k").duplicates == 2
        assert records.titles() == {1: "c"}
        result = records.merge("k")
        assert (result.updated, records.titles()) == (0, {1: "c"})
        (records.parts / "c.jsonl").unlink()
        records.merge("k")
        assert records.titles() == {1: "c"}, "the line that was given out stays"

    def test_a_part_of_an_older_release_counts_as_answered_when_it_was_written(
        self, records: Records
    ) -> None:
        records.part("a", (1, 200, "new"), (2, 200, "new"))
        for name, second in (("b", 100), ("c", 300)):
            path = records.parts / f"{name}.jsonl"
            path.write_bytes(records.line(1 if name == "b" else 2, name))
            os.utime(path, (second, second))
        records.merge("kk")
        assert records.titles() == {1: "new", 2: "c"}
        assert sorted(path.name for path in records.parts.glob("*.index")) == [
            "a.index",
            "b.index",
            "c.index",
        ]
        os.utime(records.parts / "b.jsonl", (9_999, 9_999))
        assert records.merge("kk").updated == 0, "its time was written down"

    def test_a_line_without_its_entry_is_not_newer_than_what_was_answered_after_the_entry_before_it(
        self, records: Records
    ) -> None:
        """Its worker died between the two; a copy of the part may be of any time."""
        path = records.part("a", (1, 100, "old"), (2, 110, "torn off the index"))
        index_of(path).write_bytes(index_of(path).read_bytes()[:-1])
        records.part("b", (2, 200, "new"))
        os.utime(path, (9_999_999_999, 9_999_999_999))
        records.merge("kk")
        assert records.titles() == {1: "old", 2: "new"}
        index_of(path).write_bytes(index_of(path).read_bytes()[:HEADER_BYTES])
        (records.parts / "b.jsonl").unlink()
        records.file.unlink()
        records.merge("kk")
        assert records.titles() == {1: "old", 2: "torn off the index"}


class TestRight:
    """Which IDs have a line is the ledger's to say."""

    @pytest.mark.parametrize("state", ["q", "f", "\0", "K", "F", "k"])
    def test_no_settled_outcome_speaks_against_it(self, records: Records, state: str) -> None:
        records.part("a", (1, 100, "x"), (2, 100, "y"))
        records.merge("kk")
        result = records.merge(f"{state}k")
        assert records.titles() == {1: "x", 2: "y"}
        assert result.not_kept == (state in "qf\0")

    @pytest.mark.parametrize("state", ["q", "f", "\0"])
    def test_a_line_that_stays_may_be_updated(self, records: Records, state: str) -> None:
        """Its worker died between the sync and the settlement."""
        records.part("a", (1, 100, "x"), (2, 100, "y"))
        records.merge("kk")
        records.part("b", (1, 200, "newer"))
        assert records.merge(f"{state}k").updated == 1
        assert records.titles() == {1: "newer", 2: "y"}

    @pytest.mark.parametrize("state", ["d", "m", "c", "b"])
    def test_dropped_for_any_reason_or_missing_it_goes(self, records: Records, state: str) -> None:
        records.part("a", (1, 100, "x"), (2, 100, "y"))
        records.merge("kk")
        assert records.merge(f"{state}k").removed == 1
        assert (records.titles(), records.changes()) == ({2: "y"}, [(1, "removed")])

    def test_a_ledger_that_knows_less_than_the_file_takes_no_line(self, records: Records) -> None:
        records.part("a", *((n, 100, "x") for n in range(1, 30))).unlink()
        index_of(records.parts / "a.jsonl").unlink()
        (records.parts / "b.jsonl").write_bytes(b"".join(records.line(n) for n in range(1, 30)))
        records.merge("k" * 29)
        (records.parts / "b.jsonl").unlink()
        for ledger in ("qqq", "q" * 29, "kqq"):
            records.merge(ledger)
            assert list(records.titles()) == list(range(1, 30))

    def test_to_shrink_it_has_to_be_told(self, records: Records) -> None:
        records.part("a", *((n, 100, "x") for n in range(1, 6)))
        records.merge("kkkkk")
        result = records.merge("kqf", drop=True)
        assert (records.titles(), result.removed) == ({1: "x"}, 4)

    @pytest.mark.parametrize("state", ["q", "f", "\0"])
    def test_a_line_of_a_part_alone_gives_no_right(self, records: Records, state: str) -> None:
        records.part("a", (1, 100, "x"), (2, 100, "y"))
        assert records.merge(f"{state}k").unsettled == 1
        assert records.titles() == {2: "y"}


class TestChanges:
    def test_added_updated_removed(self, records: Records) -> None:
        records.part("a", *((n, 100, "x") for n in range(1, 5)))
        records.merge("kkkk")
        assert records.changes() == [(n, "added") for n in range(1, 5)]
        records.part("b", (2, 200, "new"), (3, 200, "x"), (5, 200, "x"))
        result = records.merge("kkkdk")
        assert records.changes() == [(2, "updated"), (4, "removed"), (5, "added")]
        assert (result.added, result.updated, result.removed) == (1, 1, 1)
        assert records.titles() == {1: "x", 2: "new", 3: "x", 5: "x"}

    def test_a_merge_that_changes_nothing_touches_neither_file_nor_changes(self, records: Records) -> None:
        records.part("a", (1, 100, "x"), (2, 100, "x"))
        records.merge("kk")
        before = [path.stat() for path in (records.file, records.data_dir / "movies.changes.jsonl")]
        records.part("b", (1, 200, "x"))
        result = records.merge("kk")
        after = [path.stat() for path in (records.file, records.data_dir / "movies.changes.jsonl")]
        assert [(s.st_ino, s.st_mtime_ns) for s in before] == [(s.st_ino, s.st_mtime_ns) for s in after]
        assert (result.updated, result.written) == (0, 2)
        with SortedIndex(records.index) as index:
            entry = index.find(1)
            assert entry is not None
            assert entry.answered_ns == 200 * 10**9, "that it was asked again is known"

    def test_another_line_of_the_same_length_is_a_change(self, records: Records) -> None:
        records.part("a", (1, 100, "x"), (2, 100, "x"))
        records.merge("kk")
        records.part("b", (1, 200, "y"))
        assert records.merge("kk").updated == 1
        assert (records.titles(), records.changes()) == ({1: "y", 2: "x"}, [(1, "updated")])

    def test_a_merge_of_a_file_without_lines_touches_it_neither(self, records: Records) -> None:
        records.part("a", (1, 100, "x"))
        records.merge("q")
        before = records.file.stat()
        records.merge("q")
        assert (records.file.stat().st_ino, records.titles()) == (before.st_ino, {})

    def test_changed_and_changed_back_before_a_merge_is_the_same(self, records: Records) -> None:
        records.part("a", (1, 100, "x"))
        records.merge("k")
        records.part("b", (1, 200, "y"))
        records.part("c", (1, 300, "x"))
        assert records.merge("k").updated == 0


class TestFlippedBit:
    def test_its_line_is_left_out_and_its_id_told(self, records: Records, flip: Flip) -> None:
        flip(records.part("a", (1, 100, "one"), (2, 100, "two"), (3, 100, "three")), b"two")
        result = records.merge("kkk")
        assert (result.spoilt, records.titles()) == ([2], {1: "one", 3: "three"})
        assert (result.without_line, records.changes()) == (0, [(1, "added"), (3, "added")])

    def test_what_the_earlier_file_has_stays(self, records: Records, flip: Flip) -> None:
        records.part("a", (1, 100, "one"), (2, 100, "two"))
        records.merge("kk")
        flip(records.part("b", (2, 200, "newer"), (1, 200, "fine")), b"newer")
        for _ in range(2):
            assert records.merge("kk").spoilt == [2]
            assert records.titles() == {1: "fine", 2: "two"}
        records.part("c", (2, 300, "again"))
        assert records.merge("kk").spoilt == []
        assert records.titles() == {1: "fine", 2: "again"}

    def test_an_older_line_that_was_never_merged_is_not_taken(self, records: Records, flip: Flip) -> None:
        records.part("a", (1, 100, "old"), (2, 100, "x"))
        flip(records.part("b", (1, 200, "newest")), b"newest")
        assert records.merge("kk").spoilt == [1]
        assert records.titles() == {2: "x"}

    @pytest.mark.parametrize("text", [b'"id": 2', b'{"adult', b'"two"}\n'])
    def test_wherever_in_the_line_it_is(self, records: Records, flip: Flip, text: bytes) -> None:
        flip(records.part("a", (1, 100, "one"), (3, 100, "x"), (2, 100, "two")), text)
        assert records.merge("kkk").spoilt == [2]
        assert records.titles() == {1: "one", 3: "x"}

    def test_in_the_earlier_file_a_check_finds_it(self, records: Records, flip: Flip) -> None:
        for path in (records.part("a", (1, 100, "one"), (2, 100, "two")),):
            records.merge("kk")
            path.unlink()
        flip(records.file, b"two")
        assert records.merge("kk").spoilt == []
        result = records.merge("kk", check=True)
        assert (result.spoilt, result.removed, records.titles()) == ([2], 1, {1: "one"})

    def test_a_part_that_is_still_there_mends_the_earlier_file(self, records: Records, flip: Flip) -> None:
        records.part("a", (1, 100, "one"), (2, 100, "two"))
        records.merge("kk")
        flip(records.file, b"two")
        result = records.merge("kk", check=True)
        assert (result.spoilt, records.titles()) == ([], {1: "one", 2: "two"})

    def test_an_older_line_that_is_there_is_better_than_a_spoilt_one(
        self, records: Records, flip: Flip
    ) -> None:
        records.part("a", (1, 100, "older"), (2, 100, "x"))
        newer = records.part("b", (1, 200, "newer"))
        records.merge("kk")
        newer.unlink()
        flip(records.file, b"newer")
        result = records.merge("kk", check=True)
        assert (result.spoilt, records.titles()) == ([], {1: "older", 2: "x"})


class TestIndexes:
    """One that cannot be trusted is not, and what it is of is read."""

    def test_of_another_part(self, records: Records) -> None:
        paths = [records.part(name, (n, 100, name)) for n, name in ((1, "a"), (2, "b"))]
        first, second = (index_of(path).read_bytes() for path in paths)
        index_of(paths[0]).write_bytes(second)
        index_of(paths[1]).write_bytes(first)
        assert records.merge("kk").spoilt == []
        assert records.titles() == {1: "a", 2: "b"}

    @pytest.mark.parametrize("cut", [1, ENTRY_BYTES, ENTRY_BYTES + 5, 3 * ENTRY_BYTES + 1])
    def test_torn(self, records: Records, cut: int) -> None:
        path = records.part("a", (1, 100, "x"), (2, 100, "y"), (3, 100, "z"))
        index_of(path).write_bytes(index_of(path).read_bytes()[:-cut])
        records.merge("kkk")
        assert records.titles() == {1: "x", 2: "y", 3: "z"}

    def test_longer_than_its_part(self, records: Records) -> None:
        """A copy of a growing part, whose index was copied later."""
        path = records.part("a", (1, 100, "x"), (2, 100, "y"))
        path.write_bytes(path.read_bytes()[:-5])
        result = records.merge("kk")
        assert (records.titles(), result.torn, result.spoilt) == ({1: "x"}, 1, [])

    def test_of_a_merged_file_that_was_replaced_by_one_of_the_same_size(self, records: Records) -> None:
        records.part("a", (1, 100, "one"), (2, 100, "two")).unlink()
        (records.parts / "b.jsonl").write_bytes(records.line(1, "one") + records.line(2, "two"))
        records.merge("kk")
        (records.parts / "b.jsonl").unlink()
        records.file.write_bytes(records.line(2, "TWO") + records.line(1, "ONE"))
        records.merge("kk")
        assert records.titles() == {1: "ONE", 2: "TWO"}
        assert find_line(records.file, 2) == records.line(2, "TWO")

    def test_a_copied_merged_file_remembers_when_its_lines_were_answered(self, records: Records) -> None:
        new = records.part("a", (1, 200, "new"))
        records.merge("k")
        new.unlink()
        index_of(new).unlink()
        os.utime(records.file, (5, 5))
        records.part("b", (1, 100, "old"))
        records.merge("k")
        assert records.titles() == {1: "new"}

    def test_without_its_index_a_line_of_a_part_is_taken_for_newer(self, records: Records) -> None:
        records.file.write_bytes(records.line(1, "earlier") + records.line(2, "earlier"))
        records.part("a", (1, 100, "part"))
        records.merge("kk")
        assert records.titles() == {1: "part", 2: "earlier"}

    def test_it_fits_the_file_after_every_merge(self, records: Records) -> None:
        for round_number, ledger in enumerate(("kkkkkk", "kdkkkk", "kkkkmq")):
            seconds = 100 + round_number
            records.part(f"p{round_number}", *((n, seconds, f"{n * round_number}") for n in range(2, 6)))
            records.merge(ledger)
            content = records.file.read_bytes()
            entries = [entry for some in by_offset(records.index) for entry in some.tolist()]
            found = {entry[0]: content[entry[3] :][: entry[1]] for entry in entries}
            assert found == {n: records.line(n, title) for n, title in records.titles().items()}


def test_two_merges_at_once_are_refused(records: Records) -> None:
    records.part("a", (1, 100, "x"))
    with merge_lock(records.data_dir / "movies"), pytest.raises(MergeIsRunning, match="another merge"):
        records.merge("k")
    records.merge("k")
    assert records.titles() == {1: "x"}
