"""``scrapy report``: with Redis and without, from tables and from lines."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tmdb_scrapy.queue import IdQueue, Settlement, State, Traffic

Invoke = Callable[..., int]
Ask = Callable[..., Any]


def movies(data_dir: Path, count: int) -> Path:
    data_dir.mkdir(exist_ok=True)
    path = data_dir / "movies.jsonl"
    path.write_text(
        "".join(json.dumps({"id": n, "title": f"M{n}", "runtime": 90}) + "\n" for n in range(1, count + 1))
    )
    return path


@pytest.fixture
def data_dir(environment: dict[str, str]) -> Path:
    return Path(environment["DATA_DIR"])


def report(data_dir: Path) -> str:
    return (data_dir / "report.html").read_text(encoding="utf-8")


def test_it_tells_what_redis_knows(
    invoke: Invoke, ask: Ask, data_dir: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    async def crawled(queue: IdQueue) -> None:
        await queue.seed(range(1, 8))
        leases = await queue.lease("me", 7) or []
        states = [State.KEPT, State.KEPT, State.DROPPED, State.MISSING, State.FAILED]
        told = ["", "", "revenue", "", "a timeout <b>"]
        done = [Settlement(*one) for one in zip(leases, states, told, strict=False)]
        await queue.settle(done, Traffic("me", answers=9, throttled=2, milliseconds=900))

    ask(crawled)
    assert invoke("report") == 0
    assert f"report   {data_dir / 'report.html'}" in capsys.readouterr().out
    text = report(data_dir)
    for expected in ("5 of 7", "dropped: revenue", "still queued", "a timeout &lt;b&gt;", "100 ms"):
        assert expected in text, expected
    assert "Redis was not asked" not in text


def test_without_redis_it_tells_what_is_in_the_files(
    invoke: Invoke, data_dir: Path, closed_port: int
) -> None:
    movies(data_dir, 1234)
    assert invoke("report", REDIS_URL=f"redis://127.0.0.1:{closed_port}/0") == 0
    text = report(data_dir)
    assert "Redis was not asked" in text
    assert "1,234" in text


def test_tables_of_another_merged_file_are_not_asked(invoke: Invoke, data_dir: Path) -> None:
    movies(data_dir, 3)
    assert invoke("tables") == 0
    assert invoke("report") == 0
    assert "its tables" in report(data_dir)
    movies(data_dir, 4)
    assert invoke("report") == 0
    assert "its tables" not in report(data_dir)
    assert "<dd>4</dd>" in report(data_dir)


def test_a_broken_line_is_named_and_the_former_report_stays(
    invoke: Invoke, data_dir: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    merged = movies(data_dir, 2)
    assert invoke("report") == 0
    before = report(data_dir)
    merged.write_text('{"id":1}\n{"id":\n')
    assert invoke("report") == 1
    assert "movies.jsonl, line 2" in capsys.readouterr().err
    assert report(data_dir) == before
    assert sorted(path.name for path in data_dir.iterdir()) == ["movies.jsonl", "report.html"]


def test_where_nothing_is_it_says_what_to_do(invoke: Invoke, data_dir: Path) -> None:
    assert invoke("report") == 0
    assert "make crawl" in report(data_dir)
