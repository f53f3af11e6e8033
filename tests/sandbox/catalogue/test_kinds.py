"""Every kind's records: TMDb's fields in TMDb's order, and what can be appended."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from needs import REAL_DATA, needs_real_data

from tmdb_scrapy.kinds import KINDS, Kind
from tmdb_scrapy.sandbox.catalogue.appended import Appended
from tmdb_scrapy.sandbox.catalogue.generated import GeneratedCatalogue, usual_count
from tmdb_scrapy.sandbox.catalogue.generator import Generator
from tmdb_scrapy.sandbox.catalogue.generators import generator_of
from tmdb_scrapy.sandbox.catalogue.world import World

EXPORT_FIELDS = {
    "movies": ["adult", "id", "original_title", "popularity", "video"],
    "people": ["adult", "id", "name", "popularity"],
    "tv": ["id", "original_name", "popularity"],
    "collections": ["id", "name"],
    "companies": ["id", "name"],
    "networks": ["id", "name"],
    "keywords": ["id", "name"],
}
OF_TV = [
    "aggregate_credits",
    "alternative_titles",
    "changes",
    "content_ratings",
    "credits",
    "episode_groups",
    "external_ids",
    "images",
    "keywords",
    "lists",
    "recommendations",
    "reviews",
    "screened_theatrically",
    "similar",
    "translations",
    "videos",
    "watch/providers",
]
OF_MOVIES = [
    "alternative_titles",
    "changes",
    "credits",
    "external_ids",
    "images",
    "keywords",
    "lists",
    "recommendations",
    "release_dates",
    "reviews",
    "similar",
    "translations",
    "videos",
    "watch/providers",
]
RECORDINGS = {
    "movies": ["movie-latest.json", "movie-168259.de.json"],
    "people": ["person-latest.json"],
    "tv": ["tv-1396.json", "tv-1668.json"],
    "collections": ["collection-264.json"],
    "companies": ["company-25.json"],
    "networks": ["network-213.json"],
    "keywords": ["keyword-33705.json"],
}


@pytest.fixture(scope="module")
def catalogue() -> GeneratedCatalogue:
    return GeneratedCatalogue(dict.fromkeys(KINDS, 300), seed=5)


def records(catalogue: GeneratedCatalogue, kind: str, *appended: str) -> list[dict[str, Any]]:
    bodies = (catalogue.body(kind, number, appended) for number in catalogue.ids(kind))
    return [json.loads(body) for body in bodies if body]


@pytest.mark.parametrize("kind", KINDS)
def test_export_lines_have_tmdbs_fields(catalogue: GeneratedCatalogue, kind: str) -> None:
    lines = [catalogue.export_line(kind, number) for number in catalogue.ids(kind)]
    assert {tuple(json.loads(line)) for line in lines} == {tuple(EXPORT_FIELDS[kind])}


@pytest.mark.parametrize("kind", KINDS)
def test_the_title_of_a_record_is_the_exports(catalogue: GeneratedCatalogue, kind: str) -> None:
    for record in records(catalogue, kind):
        line = json.loads(catalogue.export_line(kind, record["id"]))
        title = KINDS[kind].title_field
        assert line["id"] == record["id"] and line[title] == record.get(title, record.get("name"))


@pytest.mark.parametrize("kind", KINDS)
def test_what_is_appended_by_default_is_there(catalogue: GeneratedCatalogue, kind: str) -> None:
    appended = KINDS[kind].appended
    found = [record for record in records(catalogue, kind, *appended) if set(appended) <= set(record)]
    assert len(found) > 250, "only one sort of movie lacks its credits"
    for record in found:
        assert tuple(record)[len(record) - len(appended) :] == appended


@pytest.mark.parametrize(("kind", "names"), [("tv", OF_TV), ("movies", OF_MOVIES)])
def test_all_that_tmdb_can_append_is_known_under_its_own_name(
    catalogue: GeneratedCatalogue, kind: str, names: list[str]
) -> None:
    record = records(catalogue, kind, *names, "no_such_thing")[0]
    assert set(names) <= set(record) and "no_such_thing" not in record
    assert all("id" not in record[name] for name in names)


def test_keywords_of_series_come_under_results(catalogue: GeneratedCatalogue) -> None:
    assert all(set(series["keywords"]) == {"results"} for series in records(catalogue, "tv", "keywords"))


def test_a_season_that_does_not_exist_is_left_out_without_a_word(catalogue: GeneratedCatalogue) -> None:
    asked = [f"season/{number}" for number in range(9)]
    seen = set()
    for series in records(catalogue, "tv", *asked):
        there = {f"season/{season['season_number']}" for season in series["seasons"]}
        assert {name for name in series if name.startswith("season/")} == there & set(asked)
        for season in series["seasons"]:
            appended = series.get(f"season/{season['season_number']}")
            if appended:
                assert "id" not in appended and appended["season_number"] == season["season_number"]
                assert len(appended["episodes"]) == season["episode_count"]
        seen |= there
    assert {"season/0", "season/1", "season/4", "season/30"} <= seen


def test_aggregate_credits_have_roles_and_jobs(catalogue: GeneratedCatalogue) -> None:
    for series in records(catalogue, "tv", "aggregate_credits"):
        credits = series["aggregate_credits"]
        assert all(actor["roles"][0]["credit_id"] and actor["order"] >= 0 for actor in credits["cast"])
        assert all(other["jobs"][0]["job"] and other["department"] for other in credits["crew"])


def test_bodies_can_be_padded_in_every_kind_that_has_a_text() -> None:
    padded = GeneratedCatalogue(dict.fromkeys(KINDS, 20), body_size=8000)
    for kind in KINDS:
        sizes = {len(padded.body(kind, number) or b"") for number in padded.ids(kind)} - {0}
        assert sizes == {8000}, kind


def test_a_kind_that_only_its_own_file_knows_has_plain_records() -> None:
    awards = Kind(
        name="awards",
        singular="award",
        path="award",
        export="award_ids",
        append_key="APPEND_AWARDS",
        appended=("winners",),
        has_popularity=True,
    )
    assert generator_of(awards) is Generator
    generator = Generator(awards, 50, World(seed=1, appended=Appended(1)))
    ids = list(generator.population.exported(0))
    bodies = [generator.body(number, ["winners", "nothing"], 0) for number in ids]
    assert len(ids) == 50 and bodies.count(None) >= 1
    one = json.loads(next(body for body in bodies if body))
    assert list(one) == ["id", "name", "popularity", "winners"]
    assert list(json.loads(generator.export_line(ids[0], 0))) == ["id", "name", "popularity"]


def test_every_kind_has_some_records_where_nothing_is_said() -> None:
    assert {kind: usual_count(kind) > 0 for kind in KINDS} == dict.fromkeys(KINDS, True)
    assert (usual_count("movies"), usual_count("people")) == (3000, 500)


@needs_real_data
@pytest.mark.parametrize("kind", KINDS)
def test_records_have_the_fields_of_recorded_ones_in_their_order(
    catalogue: GeneratedCatalogue, kind: str
) -> None:
    """But for those of the movies' sorts that lack a field on purpose."""
    fields = {tuple(record) for record in records(catalogue, kind)}
    for name in RECORDINGS[kind]:
        recorded = json.loads((REAL_DATA / "recorded" / name).read_bytes())
        assert tuple(recorded) in fields, name


@needs_real_data
@pytest.mark.parametrize(
    ("kind", "name", "file", "inside"),
    [
        ("movies", "credits", "movie-49026.credits-images-keywords.json", "credits"),
        ("movies", "keywords", "movie-49026.credits-images-keywords.json", "keywords"),
        ("movies", "similar", "movie-47964.credits-keywords-similar-recommendations.json", "similar"),
        ("people", "movie_credits", "person-62.movie_credits.json", "movie_credits"),
        ("people", "tv_credits", "person-4347.many-appended.json", "tv_credits"),
        ("tv", "aggregate_credits", "tv-96677.aggregate_credits.json", ""),
        ("tv", "keywords", "tv-1418.keywords.json", ""),
        ("tv", "season/1", "tv-1396.season-1.json", ""),
    ],
)
def test_appended_objects_have_the_fields_of_recorded_ones(
    catalogue: GeneratedCatalogue, kind: str, name: str, file: str, inside: str
) -> None:
    recorded = json.loads((REAL_DATA / "recorded" / file).read_bytes())
    recorded = recorded[inside] if inside else {key: value for key, value in recorded.items() if key != "id"}
    made = [record[name] for record in records(catalogue, kind, name) if name in record]
    assert {tuple(one) for one in made} == {tuple(recorded)}
    for key, value in recorded.items():
        if isinstance(value, list) and value and isinstance(value[0], dict):
            entries = {frozenset(entry) for one in made for entry in one[key]}
            assert entries == {frozenset(value[0])}, key


def test_the_recordings_are_named_as_they_are() -> None:
    assert not REAL_DATA.is_dir() or all(
        Path(REAL_DATA / "recorded" / name).is_file() for names in RECORDINGS.values() for name in names
    )
