from __future__ import annotations

import json
from pathlib import Path

import pytest

from tmdb_scrapy.kinds import KINDS
from tmdb_scrapy.sandbox.catalogue.records import RecordCatalogue

RICH = (
    '{"id":5,"title":"Été \\"5\\"","budget":1001,"revenue":10000000,"popularity":2.5,'
    '"genres":[{"id":1,"name":"x"}]}'
)
POOR = '{ "id": 6, "original_title": "Six", "budget": 1000, "revenue": 10000000, "genres": [{"id":1}] }'
STAR = '{"id":9,"name":"Nine","popularity":1}'


@pytest.fixture
def catalogue(tmp_path: Path) -> RecordCatalogue:
    path = tmp_path / "records.jsonl"
    path.write_text(f"{RICH}\n{POOR}\n\n{STAR}\n")
    records = RecordCatalogue()
    records.read_lines(path)
    return records


def test_a_record_is_served_as_it_is(catalogue: RecordCatalogue) -> None:
    assert catalogue.body("movies", 5) == RICH.encode()


def test_absent_parts_are_added_and_never_empty(catalogue: RecordCatalogue) -> None:
    body = catalogue.body("movies", 6, ["credits", "keywords", "similar", "recommendations"])
    assert body is not None and body.startswith(POOR[:-1].encode())
    movie = json.loads(body)
    assert movie["credits"]["cast"] and movie["credits"]["crew"] and movie["keywords"]["keywords"]
    assert movie["similar"]["results"] and movie["recommendations"]["results"]


def test_a_part_that_the_record_has_is_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "records.jsonl"
    path.write_text('{"id":1,"title":"One","credits":{"cast":[],"crew":[]}}\n')
    records = RecordCatalogue()
    records.read_lines(path)
    assert records.body("movies", 1, ["credits"]) == b'{"id":1,"title":"One","credits":{"cast":[],"crew":[]}}'


def test_outcomes_follow_the_rule(catalogue: RecordCatalogue) -> None:
    assert dict(catalogue.expected("movies")) == {5: "kept", 6: "dropped"}
    assert dict(catalogue.expected("people")) == {9: "kept"}


def test_the_export_takes_title_and_popularity_from_the_record(catalogue: RecordCatalogue) -> None:
    line = json.loads(catalogue.export_line("movies", 5))
    assert line == {"adult": False, "id": 5, "original_title": 'Été "5"', "popularity": 2.5, "video": False}


@pytest.mark.parametrize("bad", ["not json", "[1]", '{"title":"no id"}', '{"id":"5"}'])
def test_a_line_that_is_no_record_is_named(tmp_path: Path, bad: str) -> None:
    path = tmp_path / "records.jsonl"
    path.write_text(f"{STAR}\n{bad}\n")
    with pytest.raises(ValueError, match=r"records\.jsonl, line 2"):
        RecordCatalogue().read_lines(path)


def test_recordings_are_verbatim_whatever_is_asked(tmp_path: Path) -> None:
    body = b'{"id":47964,\n "title":"A"}\r\n'
    (tmp_path / "movie-47964.credits-keywords.json").write_bytes(body)
    (tmp_path / "person-62.movie_credits.json").write_bytes(b'{"id":62,"name":"B"}\n')
    (tmp_path / "movie-404.json").write_text('{"success":false,"status_code":34,"status_message":"x"}')
    (tmp_path / "movie-changes.page-1.json").write_text('{"results":[]}')
    (tmp_path / "movie-latest.json").write_text('{"id":1744731}')
    records = RecordCatalogue()
    records.read_recordings(tmp_path)
    assert list(records.ids("movies")) == [47964] and list(records.ids("people")) == [62]
    assert records.body("movies", 47964, ["credits", "similar"]) == body
    assert dict(records.expected("movies")) == {47964: "dropped"}


def test_seasons_and_appended_objects_that_were_recorded_alone_are_no_records(tmp_path: Path) -> None:
    (tmp_path / "tv-1396.json").write_text('{"id":1396,"name":"A"}')
    (tmp_path / "tv-7.season-1.json").write_text('{"id":70,"name":"Season 1"}')
    (tmp_path / "tv-8.aggregate_credits.json").write_text('{"cast":[],"crew":[],"id":8}')
    (tmp_path / "award-9.json").write_text('{"id":9,"name":"No such kind"}')
    (tmp_path / "keyword-5.json").write_text('{"id":5,"name":"e"}')
    records = RecordCatalogue()
    records.read_recordings(tmp_path)
    assert {kind: list(records.ids(kind)) for kind in KINDS if list(records.ids(kind))} == {
        "tv": [1396],
        "keywords": [5],
    }
    assert records.at(9).body("tv", 1396, ["keywords"]) == b'{"id":1396,"name":"A"}'


def test_discover_finds_records_from_files(catalogue: RecordCatalogue) -> None:
    assert sorted(catalogue.listed("movies", "revenue")) == [
        (5, 10_000_000, 0, False),
        (6, 10_000_000, 0, False),
    ]


def test_a_folder_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="nowhere: no such folder"):
        RecordCatalogue().read_recordings(tmp_path / "nowhere")
