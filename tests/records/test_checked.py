"""tmdb_scrapy.records.checked: whatever lies between, however much is read at once, good lines are found."""

from __future__ import annotations

import zlib
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tmdb_scrapy.records import checked as checked_module
from tmdb_scrapy.records.checked import checked
from tmdb_scrapy.records.columns import from_single
from tmdb_scrapy.records.index import Entry


class Line:
    """One of a file: how long, how much lies before it, whether it was spoilt."""

    def __init__(self, length: int, gap: int, spoilt: bool) -> None:
        self.length, self.gap, self.spoilt = length, gap, spoilt


@given(
    st.lists(st.builds(Line, st.integers(1, 30), st.sampled_from([0, 0, 1, 5, 40]), st.booleans())),
    st.integers(1, 100),
    st.sampled_from([0, 4, 1000]),
)
def test_each_good_line_once_and_no_other(
    tmp_path_factory: pytest.TempPathFactory, some: list[Line], read_bytes: int, gap_bytes: int
) -> None:
    path = tmp_path_factory.mktemp("checked") / "part.jsonl"
    content, good, entries = bytearray(), [], []
    for number, each in enumerate(some):
        content += b"?" * each.gap
        line = bytes([number % 256]) * each.length
        entries.append(Entry(number, each.length, 1, len(content), zlib.crc32(line) ^ each.spoilt))
        content += line
        if not each.spoilt:
            good.append(line)
    path.write_bytes(content)
    ids, written, stretches = [], b"", 0
    with pytest.MonkeyPatch.context() as patch, path.open("rb") as file:
        patch.setattr(checked_module, "READ_BYTES", read_bytes)
        patch.setattr(checked_module, "GAP_BYTES", gap_bytes)
        for block in from_single(entries):
            for together in checked(file, block):
                ids += together.lines["id"][together.is_good].tolist()
                written += b"".join(together.stretches())
                stretches += len(list(together.stretches()))
    assert ids == [number for number, each in enumerate(some) if not each.spoilt]
    assert written == b"".join(good)
    assert stretches <= len(good)


def test_lines_that_lie_together_are_one_stretch(tmp_path: Path) -> None:
    path = tmp_path / "part.jsonl"
    path.write_bytes(b"aabbccXXdd")
    places = [(0, b"aa"), (2, b"bb"), (4, b"cc"), (8, b"dd")]
    entries = (Entry(n, 2, 1, at, zlib.crc32(line)) for n, (at, line) in enumerate(places))
    with path.open("rb") as file:
        read = [each for block in from_single(entries) for each in checked(file, block)]
    assert [bytes(stretch) for each in read for stretch in each.stretches()] == [b"aabbcc", b"dd"]
    assert len(read) == 1, "a short gap is read along"


def test_lines_of_a_file_that_is_shorter_by_now_are_spoilt(tmp_path: Path) -> None:
    path = tmp_path / "part.jsonl"
    path.write_bytes(b"aab")
    entries = (Entry(n, 2, 1, 2 * n, zlib.crc32(line)) for n, line in enumerate((b"aa", b"bb", b"cc")))
    with path.open("rb") as file:
        read = [each for block in from_single(entries) for each in checked(file, block)]
    assert [each.is_good.tolist() for each in read] == [[True, False, False]]
