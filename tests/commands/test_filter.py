from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

Invoke = Callable[..., int]
Say = pytest.CaptureFixture[str]


def movie(tmdb_id: int, budget: int, revenue: int, **other: Any) -> bytes:
    credits = {"cast": [{"id": 1}], "crew": [{"id": 2}]}
    record = {"id": tmdb_id, "budget": budget, "revenue": revenue, "genres": [{"id": 1}], "credits": credits}
    return json.dumps(record | other).encode() + b"\n"


LINES = {
    1: movie(1, 1_001, 10_000_000),
    2: movie(2, 1_000, 10_000_000),
    3: movie(3, 50, 9_999_999),
    4: movie(4, 5_000, 20_000_000, genres=[]),
    5: movie(5, 5_000, 20_000_000, title="a lone half \ud83d of a pair"),
}


@pytest.fixture
def merged(tmp_path: Path) -> Path:
    file = tmp_path / "data/movies.jsonl"
    file.parent.mkdir(exist_ok=True)
    file.write_bytes(b"".join(LINES.values()))
    return file


@pytest.mark.parametrize(
    ("options", "kept"),
    [
        ([], [1, 5]),
        (["--min-budget", "999"], [1, 2, 5]),
        (["--min-budget", "49", "--min-revenue", "9999999"], [1, 2, 3, 5]),
        (["--min-revenue", "10000001"], [5]),
    ],
)
def test_other_limits_keep_other_lines_as_they_are(
    invoke: Invoke, merged: Path, options: list[str], kept: list[int]
) -> None:
    before = merged.read_bytes()
    assert invoke("filter", "movies", *options, FILTER="off") == 0
    filtered = merged.with_name("movies.filtered.jsonl")
    assert filtered.read_bytes() == b"".join(LINES[each] for each in kept)
    assert merged.read_bytes() == before
    assert {file.name for file in merged.parent.iterdir()} == {"movies.jsonl", "movies.filtered.jsonl"}


def test_the_configured_limits_count_unless_others_are_given(invoke: Invoke, merged: Path) -> None:
    assert invoke("filter", "movies", "-o", str(merged.with_name("mine")), MIN_BUDGET="1001") == 0
    assert merged.with_name("mine").read_bytes() == LINES[5]


def test_it_says_what_it_left_out_and_why(invoke: Invoke, merged: Path, capsys: Say) -> None:
    assert invoke("filter", "movies") == 0
    assert "2 lines; left out 3 (budget 2, genres 1)" in capsys.readouterr().out


def test_lines_on_standard_output_have_nothing_between_them(
    invoke: Invoke, merged: Path, capfdbinary: pytest.CaptureFixture[bytes]
) -> None:
    assert invoke("filter", "movies", "-o", "-") == 0
    said = capfdbinary.readouterr()
    assert said.out == LINES[1] + LINES[5] and b"left out 3" in said.err


def test_what_cannot_be_decided_is_told_not_passed_over(invoke: Invoke, merged: Path, capsys: Say) -> None:
    record = json.loads(LINES[1])
    del record["credits"]
    merged.write_bytes(LINES[5] + json.dumps(record).encode() + b"\n")
    assert invoke("filter", "movies") == 1
    said = capsys.readouterr()
    assert "1 line" in said.err and "credits" in said.err and "APPEND_TO_RESPONSE" in said.err
    merged.write_bytes(LINES[5] + b'{"id":')
    assert invoke("filter", "movies") == 1
    assert "no whole record" in capsys.readouterr().err


def test_the_merged_file_itself_is_never_written(invoke: Invoke, merged: Path, tmp_path: Path) -> None:
    before = merged.read_bytes()
    os.link(merged, tmp_path / "the same")
    assert invoke("filter", "movies", "-o", str(tmp_path / "the same")) == 1
    assert merged.read_bytes() == before


def test_what_is_wrong_is_said(invoke: Invoke, capsys: Say) -> None:
    assert invoke("filter", "movies") == 1
    assert "scrapy merge movies" in capsys.readouterr().err
    for wrong in (["people"], ["movies", "--min-budget", "-1"]):
        with pytest.raises(SystemExit) as ended:
            invoke("filter", *wrong)
        assert ended.value.code == 2


def test_lines_may_go_to_what_is_no_file(invoke: Invoke, merged: Path) -> None:
    pipe = merged.with_name("pipe")
    os.mkfifo(pipe)
    end = os.open(pipe, os.O_RDONLY | os.O_NONBLOCK)
    assert invoke("filter", "movies", "-o", str(pipe)) == 0
    assert os.read(end, 1 << 16) == LINES[1] + LINES[5]
    os.close(end)
    assert pipe.is_fifo()


@pytest.mark.parametrize(
    ("output", "next_step"), [(".", "name a file, not a directory"), ("not/there", "its directory there?")]
)
def test_a_place_where_no_file_can_be_is_told(
    invoke: Invoke, merged: Path, tmp_path: Path, capsys: Say, output: str, next_step: str
) -> None:
    assert invoke("filter", "movies", "-o", str(tmp_path / output)) == 1
    assert next_step in capsys.readouterr().err
