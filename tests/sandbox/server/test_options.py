from __future__ import annotations

from pathlib import Path

import pytest

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


def test_faults_poison_and_retry_after_become_settings() -> None:
    settings = build_settings(
        parsed(["--fault", "503=0.1", "--fault", "reset=0.2", "--poison", "3,4", "--retry-after", "2"])
    )
    assert settings.faults == {"503": 0.1, "reset": 0.2}
    assert settings.poison == [3, 4] and settings.retry_after == 2


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
    ],
)
def test_words_that_are_no_values_are_refused(args: list[str]) -> None:
    with pytest.raises(SystemExit):
        parsed(args)
