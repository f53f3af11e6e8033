from __future__ import annotations

import gzip
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

Invoke = Callable[..., int]
Ask = Callable[..., Any]


@pytest.fixture
def export(tmp_path: Path) -> str:
    """Ten movies, the one with the highest ID the most popular; those with even IDs are videos."""
    path = tmp_path / "movies.json.gz"
    rows = [{"id": n, "popularity": n / 2, "video": n % 2 == 0} for n in range(1, 11)]
    path.write_bytes(gzip.compress("".join(json.dumps(row) + "\n" for row in rows).encode()))
    return str(path)


def leased(ask: Ask, kind: str = "movies") -> list[int]:
    return [lease.id for lease in ask(lambda queue: queue.lease("ada", 99), kind)]


def test_most_popular_first(
    invoke: Invoke, ask: Ask, export: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert invoke("seed", "movies", "--file", export) == 0
    assert leased(ask) == list(range(10, 0, -1))
    assert capsys.readouterr().out == "queued 10 movies from movies.json.gz\n"


@pytest.mark.parametrize(
    ("options", "ids"),
    [
        (["--limit", "3"], [10, 9, 8]),
        (["--min-popularity", "4.5"], [10, 9]),
        (["--no-video"], [9, 7, 5, 3, 1]),
        (["--no-video", "--limit", "2"], [9, 7]),
    ],
)
def test_only_what_the_options_choose_is_queued(
    invoke: Invoke, ask: Ask, export: str, options: list[str], ids: list[int]
) -> None:
    assert invoke("seed", "movies", "--file", export, *options) == 0
    assert leased(ask) == ids


def test_it_is_idempotent(invoke: Invoke, ask: Ask, export: str, capsys: pytest.CaptureFixture[str]) -> None:
    for options in (["--limit", "4"], [], []):
        assert invoke("seed", "movies", "--file", export, *options) == 0
    assert leased(ask) == [10, 9, 8, 7, 6, 5, 4, 3, 2, 1]
    said = capsys.readouterr().out.splitlines()
    assert said[1] == "queued 6 movies from movies.json.gz; 4 were known already"
    assert said[2] == "queued 0 movies from movies.json.gz; 10 were known already"


def test_people_are_the_most_popular_ones(invoke: Invoke, ask: Ask, export: str) -> None:
    assert invoke("seed", "people", "--file", export, POPULAR_PEOPLE="3") == 0
    assert leased(ask, "people") == [10, 9, 8]


@pytest.mark.parametrize(("popular", "options", "count"), [("0", [], 10), ("3", ["--limit", "5"], 5)])
def test_how_many_people(
    invoke: Invoke, ask: Ask, export: str, popular: str, options: list[str], count: int
) -> None:
    assert invoke("seed", "people", "--file", export, *options, POPULAR_PEOPLE=popular) == 0
    assert len(leased(ask, "people")) == count


def test_malformed_lines_are_reported(
    invoke: Invoke, ask: Ask, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "odd.json"
    path.write_text('{"id":1}\ngarbage\n{"id":"2"}\n' + "".join(f'{{"id":{n}}}\n' for n in range(3, 2_003)))
    assert invoke("seed", "movies", "--file", str(path)) == 0
    assert len(leased(ask)) == 99
    assert "lost 2 of 2,003 lines (the first is line 2)" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--date", "2026-03-15"], "give --file or --date, not both"),
        (["--min-popularity", "99"], "has no ID that was asked for"),
    ],
)
def test_bad_use_seeds_nothing(
    invoke: Invoke, ask: Ask, export: str, options: list[str], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert invoke("seed", "movies", "--file", export, *options) in {1, 2}
    assert said in capsys.readouterr().err
    assert ask(lambda queue: queue.length()) == 0


@pytest.mark.parametrize("content", [b"not a gzip", b"", None], ids=["no gzip", "empty", "missing"])
def test_a_file_that_cannot_be_used_seeds_nothing(
    invoke: Invoke, ask: Ask, tmp_path: Path, content: bytes | None, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "broken.json.gz"
    if content is not None:
        path.write_bytes(content)
    assert invoke("seed", "movies", "--file", str(path)) in {1, 2}
    assert "broken.json.gz" in capsys.readouterr().err
    assert ask(lambda queue: queue.length()) == 0


def test_a_truncated_file_seeds_nothing(
    invoke: Invoke, ask: Ask, export: str, capsys: pytest.CaptureFixture[str]
) -> None:
    Path(export).write_bytes(Path(export).read_bytes()[:-6])
    assert invoke("seed", "movies", "--file", export) == 1
    assert "nothing was seeded" in capsys.readouterr().err
    assert ask(lambda queue: queue.length()) == 0


def test_without_a_network_it_says_what_cannot_be_had(
    invoke: Invoke, ask: Ask, closed_port: int, capsys: pytest.CaptureFixture[str]
) -> None:
    url = f"http://127.0.0.1:{closed_port}"
    assert invoke("seed", "movies", TMDB_EXPORT_URL=url) == 1
    assert f"{url}/movie_ids_" in capsys.readouterr().err


def test_without_a_redis_it_says_which_and_what_to_run(
    invoke: Invoke, export: str, closed_port: int, capsys: pytest.CaptureFixture[str]
) -> None:
    url = f"redis://:hush@127.0.0.1:{closed_port}/0"
    assert invoke("seed", "movies", "--file", export, REDIS_URL=url) == 1
    said = capsys.readouterr().err
    assert "no Redis answers at redis://***@127.0.0.1:" in said
    assert "make redis" in said
    assert "hush" not in said


def test_a_bad_configuration_is_told_whole(
    invoke: Invoke, export: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert invoke("seed", "movies", "--file", export, THREADS="many", RATE_LIMIT="fast") == 2
    said = capsys.readouterr().err
    assert "THREADS='many'" in said
    assert "RATE_LIMIT='fast'" in said
