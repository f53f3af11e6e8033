from __future__ import annotations

import json
import re
from collections import Counter
from typing import Any

import pytest

from tmdb_scrapy.sandbox.catalogue.generated import GeneratedCatalogue
from tmdb_scrapy.sandbox.catalogue.ids import SparseIds
from tmdb_scrapy.sandbox.catalogue.profiles import BY_THOUSANDTH, PROFILES

APPENDED = ["credits", "keywords", "similar", "recommendations"]


def plain_rule(movie: dict[str, Any]) -> bool:
    """The original program's filter in its plainest words."""
    people = movie.get("credits") or {}
    return bool(
        (movie.get("budget") or 0) > 1000
        and (movie.get("revenue") or 0) >= 10_000_000
        and movie.get("genres")
        and people.get("cast")
        and people.get("crew")
    )


@pytest.fixture(scope="module")
def catalogue() -> GeneratedCatalogue:
    return GeneratedCatalogue({"movies": 2000, "people": 200}, seed=7)


@pytest.fixture(scope="module")
def outcomes_of(catalogue: GeneratedCatalogue) -> dict[tuple[str, int | None], set[str]]:
    """Field and value → the outcomes of the movies that have it."""
    found: dict[tuple[str, int | None], set[str]] = {}
    for movie_id, outcome in catalogue.expected("movies"):
        body = catalogue.body("movies", movie_id)
        movie = json.loads(body) if body else {}
        for field in ("budget", "revenue"):
            if field in movie:
                found.setdefault((field, movie[field]), set()).add(outcome)
    return found


def test_same_seed_gives_the_same_bodies_in_any_order(catalogue: GeneratedCatalogue) -> None:
    again = GeneratedCatalogue({"movies": 2000, "people": 200}, seed=7)
    ids = list(catalogue.ids("movies"))[:50]
    forwards = [catalogue.body("movies", movie_id, APPENDED) for movie_id in ids]
    backwards = [again.body("movies", movie_id, APPENDED) for movie_id in reversed(ids)]
    assert forwards == backwards[::-1]


def test_another_seed_gives_other_records() -> None:
    first, second = GeneratedCatalogue({"movies": 100}, seed=1), GeneratedCatalogue({"movies": 100}, seed=2)
    assert list(first.ids("movies")) != list(second.ids("movies"))


def test_outcomes_agree_with_the_bodies(catalogue: GeneratedCatalogue) -> None:
    for movie_id, outcome in catalogue.expected("movies"):
        body = catalogue.body("movies", movie_id, APPENDED)
        actual = "missing" if body is None else "kept" if plain_rule(json.loads(body)) else "dropped"
        assert actual == outcome, movie_id


@pytest.mark.parametrize(
    ("field", "value", "outcomes"),
    [
        ("budget", 1000, {"dropped"}),
        ("budget", 1001, {"kept"}),
        ("revenue", 9_999_999, {"dropped"}),
        ("revenue", 10_000_000, {"kept"}),
        ("budget", None, {"dropped"}),
        ("revenue", None, {"dropped"}),
    ],
)
def test_boundaries_occur_and_decide(
    outcomes_of: dict[tuple[str, int | None], set[str]], field: str, value: int | None, outcomes: set[str]
) -> None:
    assert outcomes_of[field, value] == outcomes


def test_the_smallest_useful_catalogue_has_every_profile() -> None:
    tiny = GeneratedCatalogue({"movies": len(PROFILES), "people": 2})
    assert set(dict(tiny.expected("movies")).values()) == {"kept", "dropped", "missing"}
    assert sorted(dict(tiny.expected("people")).values()) == ["kept", "missing"]


def test_weights_of_profiles_add_up_to_a_thousand() -> None:
    assert len(BY_THOUSANDTH) == 1000


def test_about_one_percent_is_deleted() -> None:
    outcomes = Counter(outcome for _, outcome in GeneratedCatalogue({"movies": 20_000}).expected("movies"))
    assert 140 <= outcomes["missing"] <= 270


def test_titles_have_the_characters_that_break_careless_programs(catalogue: GeneratedCatalogue) -> None:
    lines = [json.loads(catalogue.export_line("movies", number)) for number in catalogue.ids("movies")]
    titles = "".join(line["original_title"] for line in lines)
    assert {'"', "\\", "\n", "\u2028", "\u0085"} <= set(titles)


def test_bodies_are_one_line_each_and_appended_parts_have_no_id_of_their_own(
    catalogue: GeneratedCatalogue,
) -> None:
    for movie_id in list(catalogue.ids("movies"))[:200]:
        body = catalogue.body("movies", movie_id, APPENDED)
        if body is not None:
            assert b"\n" not in body and b"\r" not in body
            movie = json.loads(body)
            assert movie["id"] == movie_id
            assert all("id" not in movie[part] for part in APPENDED if part in movie)


def test_only_what_was_asked_is_appended(catalogue: GeneratedCatalogue) -> None:
    movie_id = next(catalogue.ids("movies"))
    plain = json.loads(catalogue.body("movies", movie_id) or b"")
    one = json.loads(catalogue.body("movies", movie_id, ["keywords", "no such part"]) or b"")
    assert set(one) - set(plain) == {"keywords"}


def test_most_bodies_are_small_and_one_percent_is_huge() -> None:
    catalogue = GeneratedCatalogue({"movies": 3000})
    sizes = sorted(
        len(catalogue.body("movies", number, APPENDED) or b"") for number in catalogue.ids("movies")
    )
    assert 2_000 < sizes[1500] < 6_000
    assert sizes[int(0.97 * 3000)] < 20_000
    assert 150_000 < sizes[int(0.998 * 3000)] < 230_000


def test_body_size_makes_bodies_uniform() -> None:
    catalogue = GeneratedCatalogue({"movies": 300, "people": 50}, body_size=26_000)
    bodies = [
        body for number in catalogue.ids("movies") if (body := catalogue.body("movies", number, APPENDED))
    ]
    people = [
        body
        for number in catalogue.ids("people")
        if (body := catalogue.body("people", number, ["movie_credits"]))
    ]
    assert all(json.loads(body) for body in bodies + people)
    assert sum(len(body) == 26_000 for body in bodies) >= 0.99 * len(bodies)
    assert {len(body) for body in people} == {26_000}


def test_export_lines_have_the_documented_form(catalogue: GeneratedCatalogue) -> None:
    movie = catalogue.export_line("movies", next(catalogue.ids("movies")))
    person = catalogue.export_line("people", next(catalogue.ids("people")))
    assert list(json.loads(movie)) == ["adult", "id", "original_title", "popularity", "video"]
    assert list(json.loads(person)) == ["adult", "id", "name", "popularity"]
    assert movie.startswith(b'{"adult":false,"id":') and b", " not in movie.partition(b'"original_title"')[0]


def test_popularity_is_heavy_tailed(catalogue: GeneratedCatalogue) -> None:
    lines = [json.loads(catalogue.export_line("movies", number)) for number in catalogue.ids("movies")]
    popularity = sorted(line["popularity"] for line in lines)
    assert popularity[-1] > 20 * popularity[len(popularity) // 2]


def test_ids_are_as_sparse_as_on_tmdb() -> None:
    ids = list(SparseIds(0, 1, 10_000))
    assert len(set(ids)) == 10_000 and ids == sorted(ids)
    assert ids[-1] == pytest.approx(14_000, rel=0.01)


def test_membership_and_position_agree_with_the_list() -> None:
    ids = SparseIds(3, 1, 998)
    listed = list(ids)
    assert [ids.position(record_id) for record_id in listed] == list(range(998))
    assert [record_id for record_id in range(-20, 3000) if record_id in ids] == listed


def test_a_full_size_catalogue_answers_at_once() -> None:
    catalogue = GeneratedCatalogue({"movies": 1_238_234})
    assert catalogue.has("movies", 1_733_528)
    assert not catalogue.has("movies", 1_733_540)


def test_no_two_credits_have_the_same_id() -> None:
    catalogue = GeneratedCatalogue({"movies": 300, "people": 40}, seed=8)
    appended = {"movies": "credits", "people": "movie_credits"}
    bodies = [
        catalogue.body(kind, number, [part])
        for kind, part in appended.items()
        for number in catalogue.ids(kind)
    ]
    ids = [number for body in bodies if body for number in re.findall(rb'"credit_id":"([0-9a-f]{24})"', body)]
    assert len(ids) > 1_000
    assert len(set(ids)) == len(ids)
