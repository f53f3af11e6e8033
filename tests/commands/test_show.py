"""``scrapy show``: the line as it is, and exit 1 with a reason when there is none."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tmdb_scrapy.config import Config
from tmdb_scrapy.kinds import KINDS
from tmdb_scrapy.records.merge import merge
from tmdb_scrapy.records.part import merged_file, parts_directory

Invoke = Callable[..., int]
LINES = [b'{"id" :1, "t":"\xc3\xa9"} \n', b'{"id":603}\n', b'{"id":604}\n']


@pytest.fixture(params=["with its index", "without"])
def merged(config: Config, request: pytest.FixtureRequest) -> Path:
    part = parts_directory(config.data_dir, KINDS["movies"]) / "ada.jsonl"
    part.parent.mkdir(parents=True)
    part.write_bytes(b"".join(LINES))
    merge(config.data_dir, KINDS["movies"], b"k" * 700, lambda *_: None)
    if request.param == "without":
        (config.data_dir / "movies.index").unlink()
    return merged_file(config.data_dir, KINDS["movies"])


@pytest.mark.parametrize(("tmdb_id", "line"), zip((1, 603, 604), LINES, strict=True))
def test_the_line_as_it_is(invoke: Invoke, merged: Path, capfdbinary: Any, tmdb_id: int, line: bytes) -> None:
    assert invoke("show", "movies", str(tmdb_id), REDIS_URL="redis://127.0.0.1:1/0") == 0
    assert capfdbinary.readouterr().out == line


def test_an_unknown_id_without_redis(
    invoke: Invoke, merged: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert invoke("show", "movies", "2", REDIS_URL="redis://127.0.0.1:1/0") == 1
    said = capsys.readouterr()
    assert said.out == ""
    assert said.err.endswith("has no movie 2\n")


def test_an_unknown_id_has_its_state_said(
    invoke: Invoke, merged: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    export = tmp_path / "movies.json"
    export.write_text('{"id":2,"popularity":1}\n')
    assert invoke("seed", "movies", "--file", str(export)) == 0
    assert invoke("show", "movies", "2") == 1
    assert "has no movie 2; its state is queued" in capsys.readouterr().err
    assert invoke("show", "movies", "3") == 1
    assert "Redis does not know this ID" in capsys.readouterr().err


def test_without_a_file_it_says_what_writes_one(
    invoke: Invoke, config: Config, capsys: pytest.CaptureFixture[str]
) -> None:
    assert invoke("show", "movies", "2") == 1
    assert "scrapy merge movies" in capsys.readouterr().err


@pytest.mark.parametrize("merged", ["with its index"], indirect=True)
def test_a_line_with_a_flipped_bit_is_not_shown(
    invoke: Invoke, merged: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    status = merged.stat()
    merged.write_bytes(merged.read_bytes().replace(b"\xc3\xa9", b"\xc3\xa8"))
    os.utime(merged, ns=(status.st_atime_ns, status.st_mtime_ns))
    assert invoke("show", "movies", "1") == 1
    said = capfd.readouterr()
    assert (said.out, "scrapy merge movies --check" in said.err) == ("", True)


@pytest.mark.parametrize("tmdb_id", ["-1", "x", "1e3", "²", str(1 << 40)])
def test_what_is_no_id_is_refused(invoke: Invoke, tmdb_id: str) -> None:
    with pytest.raises(SystemExit) as ended:
        invoke("show", "movies", "--", tmdb_id)
    assert ended.value.code == 2
