"""Promise 3: the merged file holds exactly the kept IDs, one valid line each, whatever lies in the parts."""

from __future__ import annotations

import errno
import json
import os
import random
import tracemalloc
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor, wait
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tmdb_scrapy.kinds import KINDS
from tmdb_scrapy.records import output as output_module
from tmdb_scrapy.records.index import HIGHEST_ID
from tmdb_scrapy.records.merge import Merged, merge
from tmdb_scrapy.records.merged import index_fits
from tmdb_scrapy.records.part import merged_file, parts_directory

Write = Callable[..., Path]


def line(tmdb_id: int, text: str = "x") -> bytes:
    return json.dumps({"adult": False, "id": tmdb_id, "title": text}).encode() + b"\n"


def ledger(**states: str) -> bytes:
    """A ledger from its states: `ledger(k="1 2", d="3")`."""
    ids = {int(tmdb_id): state for state, some in states.items() for tmdb_id in some.split()}
    return b"".join(ids.get(n, "\0").encode() for n in range(max(ids, default=-1) + 1))


@pytest.fixture
def write(tmp_path: Path) -> Write:
    def written(name: str, *lines: bytes) -> Path:
        path = parts_directory(tmp_path, KINDS["movies"]) / f"{name}.jsonl"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"".join(lines))
        return path

    return written


def merged(
    data_dir: Path, states: bytes, *, reports: list[tuple[int, int]] | None = None, **options: bool
) -> Merged:
    said = reports if reports is not None else []
    return merge(data_dir, KINDS["movies"], states, lambda n, total: said.append((n, total)), **options)


def lines_in(data_dir: Path) -> list[bytes]:
    return merged_file(data_dir, KINDS["movies"]).read_bytes().splitlines(keepends=True)


def test_the_line_of_the_newest_part_is_taken(tmp_path: Path, write: Write) -> None:
    for name, age_s in (("a", 300), ("b", 100), ("c", 200)):
        os.utime(write(name, line(1, name)), (1_000_000 - age_s, 1_000_000 - age_s))
    assert merged(tmp_path, ledger(k="1")).duplicates == 2
    assert lines_in(tmp_path) == [line(1, "b")]


def test_lines_of_the_earlier_file_that_are_not_kept_any_more_are_counted(
    tmp_path: Path, write: Write
) -> None:
    write("a", line(1), line(2)).rename(merged_file(tmp_path, KINDS["movies"]))
    result = merged(tmp_path, ledger(k="1", d="2"))
    assert (result.written, result.removed) == (1, 1)


def test_exactly_the_kept_ids_byte_for_byte(tmp_path: Path, write: Write) -> None:
    odd = b'{"z" :1e5,"id": 2 , "t":"\\u00e9\xc3\xa9\\/"} \n'
    write("a", line(1), odd)
    write("b", line(3), line(4))
    result = merged(tmp_path, ledger(k="1 2 4", d="3"))
    assert sorted(lines_in(tmp_path)) == sorted([line(1), odd, line(4)])
    assert (result.written, result.unsettled, result.without_line) == (3, 1, 0)


def test_parts_are_read_in_the_order_of_their_names(tmp_path: Path, write: Write) -> None:
    write("b", line(2, "from b"), line(1, "from b"))
    write("a", line(1, "from a"))
    result = merged(tmp_path, ledger(k="1 2"))
    assert lines_in(tmp_path) == [line(1, "from a"), line(2, "from b")]
    assert result.duplicates == 1


def test_a_line_twice_is_written_once(tmp_path: Path, write: Write) -> None:
    write("a", line(1), line(1))
    write("b", line(1))
    result = merged(tmp_path, ledger(k="1"))
    assert lines_in(tmp_path) == [line(1)]
    assert (result.written, result.duplicates) == (1, 2)


@pytest.mark.parametrize("cut", [1, 2, 10, len(line(7)) - 1])
def test_a_torn_tail_is_left_out(tmp_path: Path, write: Write, cut: int) -> None:
    """Even when nothing but the line's end is missing: what was torn off cannot be known."""
    write("a", line(1), line(7)[:-cut])
    result = merged(tmp_path, ledger(k="1 7"))
    assert lines_in(tmp_path) == [line(1)]
    assert result.torn == (1 if cut < len(line(7)) else 0)
    assert result.without_line == 1


def test_what_another_worker_fetched_stands_in_for_a_torn_line(tmp_path: Path, write: Write) -> None:
    write("a", line(7)[:-5])
    write("b", line(7))
    result = merged(tmp_path, ledger(k="7"))
    assert lines_in(tmp_path) == [line(7)]
    assert (result.torn, result.without_line) == (1, 0)


@pytest.mark.parametrize(
    "garbage",
    [
        b"\n",
        b"\0" * 100 + b"\n",
        b"garbage\n",
        b'{"id": 2, "title": "cut of\n',
        b"[1]\n",
        b"1\n",
        b'{"id": "1"}\n',
        b'{"id": null}\n',
        b'{"title": "none"}\n',
        b'{"id": 1}{"id": 1}\n',
    ],
)
def test_garbage_in_the_middle_is_left_out(tmp_path: Path, write: Write, garbage: bytes) -> None:
    write("a", line(1), garbage, line(2))
    result = merged(tmp_path, ledger(k="1 2"))
    assert lines_in(tmp_path) == [line(1), line(2)]
    assert result.torn == 1


def test_a_line_with_broken_text_is_no_valid_line(tmp_path: Path, write: Write) -> None:
    write("a", b'{"id": 1, "title": "\xff\xfe"}\n', line(2))
    result = merged(tmp_path, ledger(k="1 2"))
    assert lines_in(tmp_path) == [line(2)]
    assert (result.torn, result.without_line) == (1, 1)


@pytest.mark.parametrize("tmdb_id", [-1, 0, 99, 1 << 40])
def test_ids_that_the_ledger_does_not_know(tmp_path: Path, write: Write, tmdb_id: int) -> None:
    write("a", line(tmdb_id), line(3))
    result = merged(tmp_path, ledger(k="3"))
    assert lines_in(tmp_path) == [line(3)]
    assert (result.unsettled, result.torn) == ((1, 0) if 0 <= tmdb_id <= HIGHEST_ID else (0, 1))


def test_kept_ids_without_a_line_are_counted(tmp_path: Path, write: Write) -> None:
    write("a", line(1))
    assert merged(tmp_path, ledger(k="1 2 3", q="4")).without_line == 2


@pytest.mark.parametrize("states", [b"", ledger(q="1 2")])
def test_nothing_kept_gives_an_empty_file(tmp_path: Path, states: bytes) -> None:
    assert merged(tmp_path, states).written == 0
    assert lines_in(tmp_path) == []


class TestAgain:
    """Merging over an earlier merged file."""

    def test_it_gives_the_same(self, tmp_path: Path, write: Write) -> None:
        write("a", line(1), line(2))
        merged(tmp_path, ledger(k="1 2"))
        before = lines_in(tmp_path)
        result = merged(tmp_path, ledger(k="1 2"))
        assert lines_in(tmp_path) == before
        assert (result.written, result.duplicates) == (2, 0)

    def test_it_stands_in_for_parts_that_are_gone(self, tmp_path: Path, write: Write) -> None:
        part = write("a", line(1), line(2))
        merged(tmp_path, ledger(k="1 2"))
        part.unlink()
        write("b", line(3))
        result = merged(tmp_path, ledger(k="1 2 3"))
        assert sorted(lines_in(tmp_path)) == [line(1), line(2), line(3)]
        assert (result.written, result.without_line) == (3, 0)

    def test_it_may_lie_elsewhere_behind_a_link_that_stays(self, tmp_path: Path, write: Write) -> None:
        place, link = tmp_path / "large disk" / "all.jsonl", merged_file(tmp_path, KINDS["movies"])
        place.parent.mkdir()
        place.touch()
        link.symlink_to(place)
        for text in ("old", "new"):
            write(text, line(1, text))
            merged(tmp_path, ledger(k="1"))
            assert link.is_symlink()
            assert place.read_bytes() == line(1, text)
        assert index_fits(link)
        assert list(place.parent.iterdir()) == [place]

    def test_what_is_not_kept_any_more_goes(self, tmp_path: Path, write: Write) -> None:
        write("a", line(1), line(2))
        merged(tmp_path, ledger(k="1 2"))
        merged(tmp_path, ledger(k="2", m="1"))
        assert lines_in(tmp_path) == [line(2)]

    def test_its_own_damage_is_left_out(self, tmp_path: Path, write: Write) -> None:
        write("a", line(1))
        merged_file(tmp_path, KINDS["movies"]).write_bytes(line(2) + b"garbage\n" + line(3)[:-4])
        merged(tmp_path, ledger(k="1 2 3"))
        assert sorted(lines_in(tmp_path)) == [line(1), line(2)]

    def test_of_two_lines_of_an_id_the_first_stays(self, tmp_path: Path, write: Write) -> None:
        write("a", line(1))
        merged_file(tmp_path, KINDS["movies"]).write_bytes(line(3) + line(2, "first") + line(2, "second"))
        assert merged(tmp_path, ledger(k="1 2 3")).torn == 1
        assert sorted(lines_in(tmp_path)) == [line(1), line(2, "first"), line(3)]


class TestErrors:
    """Whatever fails, the earlier file is untouched and nothing else is left behind."""

    def test_a_part_that_cannot_be_read(self, tmp_path: Path, write: Write) -> None:
        write("a", line(1))
        merged(tmp_path, ledger(k="1"))
        (parts_directory(tmp_path, KINDS["movies"]) / "z.jsonl").mkdir()
        write("b", line(2))
        with pytest.raises(OSError):
            merged(tmp_path, ledger(k="1 2"))
        assert lines_in(tmp_path) == [line(1)]
        assert not list(tmp_path.rglob("*.partial"))

    def test_an_interruption(self, tmp_path: Path, write: Write) -> None:
        write("a", line(1))

        def interrupt(count: int, total: int) -> None:
            raise KeyboardInterrupt

        with pytest.raises(KeyboardInterrupt):
            merge(tmp_path, KINDS["movies"], ledger(k="1"), interrupt)
        assert [path.name for path in tmp_path.iterdir()] == ["movies"]


def test_every_byte_that_was_read_is_reported(tmp_path: Path, write: Write) -> None:
    sizes = [
        write(name, *(line(n, "y" * 5_000) for n in range(count))).stat().st_size
        for name, count in (("a", 500), ("b", 3), ("c", 0))
    ]
    reports: list[tuple[int, int]] = []
    merged(tmp_path, b"k" * 500, reports=reports)
    assert sum(count for count, _ in reports) == sum(sizes)
    assert {total for _, total in reports} == {sum(sizes)}
    assert len(reports) > 3
    reports.clear()
    write("d", line(1, "new"))
    for _ in range(2):  # the second finds nothing new
        merged(tmp_path, b"k" * 500, reports=reports)
        assert sum(count for count, _ in reports) == reports[0][1]
        reports.clear()


def test_memory_stays_flat(tmp_path: Path, write: Write) -> None:
    """20,000 lines of 1 KB: 20 MB go through; a ledger and two buffers are held."""
    text = "z" * 1_000
    for name in ("a", "b"):
        write(name, *(line(n, text) for n in range(20_000)))
    merged(tmp_path, b"k" * 100)
    tracemalloc.start()
    try:
        result = merged(tmp_path, b"k" * 20_000)
        _, peak_bytes = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert (result.written, result.duplicates) == (20_000, 19_900), "100 were in the earlier file"
    assert peak_bytes < 4_000_000


@given(
    st.dictionaries(st.integers(0, 15), st.sampled_from("qkdmf")),
    st.lists(
        st.lists(st.integers(0, 17).map(line) | st.sampled_from([b"garbage\n", b"\n"]), max_size=8),
        max_size=4,
    ),
    st.integers(0, 40),
)
def test_any_parts_under_any_ledger(
    tmp_path_factory: pytest.TempPathFactory, states: dict[int, str], parts: list[list[bytes]], cut: int
) -> None:
    data_dir = tmp_path_factory.mktemp("data")
    directory = parts_directory(data_dir, KINDS["movies"])
    directory.mkdir(parents=True)
    whole: set[int] = set()
    for number, some in enumerate(parts):
        content = b"".join(some)
        content = content[: len(content) - cut] if number == 0 else content
        (directory / f"{number}.jsonl").write_bytes(content)
        for each in content.splitlines(keepends=True):
            if each.startswith(b"{") and each.endswith(b"\n"):
                whole.add(json.loads(each)["id"])
    written = b"".join(states.get(n, "\0").encode() for n in range(18))
    result = merged(data_dir, written)
    kept = {n for n, state in states.items() if state == "k"}
    ids = [json.loads(each)["id"] for each in lines_in(data_dir)]
    assert sorted(ids) == sorted(kept & whole)
    assert (result.written, result.without_line) == (len(ids), len(kept - whole))


def test_lines_of_every_size(tmp_path: Path, write: Write) -> None:
    """Up to those that fill several buffers."""
    chance = random.Random(3)
    sizes = [chance.choice((1, 100, 70_000, 2_500_000)) for _ in range(20)]
    write("a", *(line(n, "w" * size) for n, size in enumerate(sizes)))
    merged(tmp_path, b"k" * 20)
    assert [json.loads(each)["id"] for each in lines_in(tmp_path)] == list(range(20))


def test_a_disk_that_refuses_early_lines_fails_the_merge(
    tmp_path: Path, write: Write, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A failed write is reported to the sync that meets it, and to no later one."""
    write("a", line(1))
    merged(tmp_path, ledger(k="1"))
    before = lines_in(tmp_path)
    refusals = [OSError(errno.EIO, "the disk is broken")]

    def refused_once(descriptor: int) -> None:
        if refusals:
            raise refusals.pop()

    monkeypatch.setattr(output_module, "SYNC_BYTES", 1)
    monkeypatch.setattr(output_module, "ThreadPoolExecutor", AtOnce)
    monkeypatch.setattr("os.fdatasync", refused_once)
    for number in (2, 3, 4):
        write(f"part-{number}", line(number))
    with pytest.raises(OSError, match="the disk is broken"):
        merged(tmp_path, ledger(k="1 2 3 4"))
    assert lines_in(tmp_path) == before
    assert not list(tmp_path.rglob("*.partial"))


class AtOnce(ThreadPoolExecutor):
    """Has done what it is given when it has taken it."""

    def submit(self, *work: Any, **more: Any) -> Future[Any]:
        done = super().submit(*work, **more)
        wait([done])
        return done
