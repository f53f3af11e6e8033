from __future__ import annotations

import json
from datetime import date
from pathlib import Path

import pytest

from tmdb_scrapy.kinds import KINDS
from tmdb_scrapy.sandbox.server.options import build_catalogue, build_settings, parsed


@pytest.fixture
def records(tmp_path: Path) -> str:
    path = tmp_path / "records.jsonl"
    path.write_text('{"id":3000000,"title":"Real"}\n')
    return str(path)


def test_records_replace_the_generated_movies_and_leave_the_people(records: str) -> None:
    catalogue = build_catalogue(parsed(["--catalogue", records]))
    assert list(catalogue.ids("movies")) == [3_000_000]
    assert len(list(catalogue.ids("people"))) == 500


def test_records_join_the_generated_movies_when_a_number_of_those_is_given(records: str) -> None:
    catalogue = build_catalogue(parsed(["--catalogue", records, "--movies", "10"]))
    ids = list(catalogue.ids("movies"))
    assert len(ids) == 11 and ids[-1] == 3_000_000
    assert all(catalogue.export_line("movies", number) for number in ids)


def test_every_kind_can_be_given_a_number() -> None:
    args = [word for number, kind in enumerate(KINDS, 20) for word in (f"--{kind}", str(number))]
    catalogue = build_catalogue(parsed(args))
    assert [len(list(catalogue.ids(kind))) for kind in KINDS] == list(range(20, 20 + len(KINDS)))


@pytest.mark.parametrize("kind", KINDS)
def test_records_of_every_kind_can_come_from_a_file(tmp_path: Path, kind: str) -> None:
    for path, option in ((tmp_path / f"{kind}.jsonl", ""), (tmp_path / "any.jsonl", f"{kind}=")):
        path.write_text('{"id":3000000,"name":"Real"}\n')
        catalogue = build_catalogue(parsed(["--catalogue", f"{option}{path}"]))
        assert list(catalogue.ids(kind)) == [3_000_000]
        body = catalogue.body(kind, 3_000_000, KINDS[kind].appended)
        assert set(json.loads(body or b"")) == {"id", "name", *KINDS[kind].appended}
        assert "Real" in catalogue.export_line(kind, 3_000_000).decode()


def test_faults_poison_and_retry_after_become_settings() -> None:
    settings = build_settings(
        parsed(["--fault", "503=0.1", "--fault", "reset=0.2", "--poison", "3,4", "--retry-after", "2"])
    )
    assert settings.faults == {"503": 0.1, "reset": 0.2}
    assert settings.poison == [3, 4] and settings.retry_after == 2


def test_what_is_left_out_how_it_is_down_and_the_day_become_settings() -> None:
    settings = build_settings(
        parsed(
            [
                "--without-appended",
                "credits",
                "--broken-appended",
                "similar=0.5",
                "--down",
                "reset",
                "--day",
                "4",
                "--today",
                "2026-08-31",
                "--shifting-pages",
                "2",
            ]
        )
    )
    assert settings.without_appended == {"credits": 1} and settings.broken_appended == {"similar": 0.5}
    assert settings.down is True and settings.shifting_pages == 2
    assert (settings.day, settings.today) == (4, date(2026, 8, 31))


@pytest.mark.parametrize("fault", ["nonsense=0.1", "500=1.5", "500=-1"])
def test_an_impossible_fault_is_an_error(fault: str) -> None:
    with pytest.raises(ValueError, match=r"nonsense|<= 1|>= 0"):
        build_settings(parsed(["--fault", fault]))


def test_shares_above_one_are_an_error() -> None:
    with pytest.raises(ValueError, match="more than 1"):
        build_settings(parsed(["--fault", "500=0.6", "--fault", "503=0.6"]))


@pytest.mark.parametrize(
    "args",
    [
        ["--fault", "500"],
        ["--poison", "a"],
        ["--movies", "-1"],
        ["--retry-after", "soon"],
        ["--port", "65536"],
        ["--port", "-1"],
        ["--deleted-share", "2"],
        ["--without-appended", "=0.5"],
        ["--broken-appended", "credits=x"],
        ["--day", "-1"],
        ["--today", "tomorrow"],
        ["--down", "perhaps"],
        ["--limit-kind", "hourglass"],
    ],
)
def test_words_that_are_no_values_are_refused(args: list[str]) -> None:
    with pytest.raises(SystemExit):
        parsed(args)
