"""What the API answers, over real HTTP."""

from __future__ import annotations

import gzip
import json
import ssl
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import trustme

from tmdb_scrapy.kinds import KINDS
from tmdb_scrapy.sandbox.catalogue.generated import GeneratedCatalogue
from tmdb_scrapy.sandbox.server.process import SandboxError, SandboxProcess

Fetch = Callable[..., Any]
KEY = "0123456789abcdef" * 2
APPENDED = ["credits", "keywords", "similar", "recommendations"]


@pytest.fixture(scope="module")
def catalogue() -> GeneratedCatalogue:
    return GeneratedCatalogue({"movies": 400, "people": 60})


def an_id(catalogue: GeneratedCatalogue, outcome: str) -> int:
    return next(number for number, is_ in catalogue.expected("movies") if is_ == outcome)


def test_a_movie_is_the_catalogues_byte_for_byte(
    sandbox: SandboxProcess, get: Fetch, catalogue: GeneratedCatalogue
) -> None:
    movie_id = an_id(catalogue, "kept")
    got = get(f"{sandbox.api_url}/movie/{movie_id}?language=en-US&append_to_response={','.join(APPENDED)}")
    assert (got.status, got.body) == (200, catalogue.body("movies", movie_id, APPENDED))


def test_a_person_is_the_catalogues_byte_for_byte(
    sandbox: SandboxProcess, get: Fetch, catalogue: GeneratedCatalogue
) -> None:
    person_id = next(catalogue.ids("people"))
    got = get(f"{sandbox.api_url}/person/{person_id}?append_to_response=movie_credits")
    assert got.body == catalogue.body("people", person_id, ["movie_credits"])


def test_answers_have_tmdbs_headers_and_are_gzipped_only_when_asked_for(
    sandbox: SandboxProcess, get: Fetch, catalogue: GeneratedCatalogue
) -> None:
    url = f"{sandbox.api_url}/movie/{an_id(catalogue, 'kept')}"
    plain, zipped = get(url), get(url, headers={"Accept-Encoding": "gzip, br"})
    assert zipped.body == plain.body
    assert zipped.headers["content-encoding"] == "gzip" and "content-encoding" not in plain.headers
    assert zipped.headers["transfer-encoding"] == "chunked"
    assert zipped.headers["content-type"] == "application/json;charset=utf-8"
    assert zipped.headers["etag"] and "max-age" in zipped.headers["cache-control"]


@pytest.mark.parametrize(
    "path", ["movie/999999999", "movie/0", "movie/x", "person/999999999", "nothing", "movie/1/2"]
)
def test_what_is_not_there_is_404_code_34(sandbox: SandboxProcess, get: Fetch, path: str) -> None:
    got = get(f"{sandbox.api_url}/{path}")
    assert (got.status, got.json()["status_code"], got.json()["success"]) == (404, 34, False)


@pytest.mark.parametrize(
    "path", ["/4/movie/%d", "/movie/%d", "/", "/3", "/30/movie/%d", "/3/discover/person"]
)
def test_a_path_that_there_is_not_is_404_code_34_like_a_deleted_record(
    sandbox: SandboxProcess, get: Fetch, catalogue: GeneratedCatalogue, path: str
) -> None:
    got = get(f"{sandbox.url}{path.replace('%d', str(an_id(catalogue, 'kept')))}")
    deleted = get(f"{sandbox.api_url}/movie/999999999")
    assert (got.status, got.body) == (deleted.status, deleted.body) == (404, deleted.body)
    assert json.loads(got.body)["status_code"] == 34


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_has_its_path_its_export_and_its_expected_ends(
    sandbox: SandboxProcess, get: Fetch, kind: str
) -> None:
    about = KINDS[kind]
    yesterday = datetime.now(UTC).date() - timedelta(days=1)
    got = get(f"{sandbox.export_url}/{about.export}_{yesterday:%m_%d_%Y}.json.gz", key=None)
    exported = [json.loads(line)["id"] for line in gzip.decompress(got.body).splitlines()]
    expected = sandbox.expected(kind)
    assert exported == list(expected) and set(expected.values()) >= {"kept", "missing"}
    for number in exported[:40]:
        appended = ",".join(about.appended)
        record = get(f"{sandbox.api_url}/{about.path}/{number}?append_to_response={appended}")
        assert record.status == (404 if expected[number] == "missing" else 200)
        wanted = sandbox.catalogue().body(kind, number, about.appended)
        assert wanted is None or record.body == wanted
    assert sandbox.journal()[-1].kind == kind


@pytest.mark.parametrize("kind", KINDS)
def test_kinds_without_a_feed_have_no_changes(sandbox: SandboxProcess, get: Fetch, kind: str) -> None:
    got = get(f"{sandbox.api_url}/{KINDS[kind].path}/changes")
    assert got.status == (200 if KINDS[kind].has_changes else 404)


def test_a_series_has_its_seasons_on_the_wire(sandbox: SandboxProcess, get: Fetch) -> None:
    number = next(number for number, end in sandbox.expected("tv").items() if end == "kept")
    names = "season/0,season/1,season/99,watch/providers"
    series = get(f"{sandbox.api_url}/tv/{number}?append_to_response={names}").json()
    assert {"season/1", "watch/providers"} <= set(series) and "season/99" not in series
    assert (
        series == get(f"{sandbox.api_url}/tv/{number}?append_to_response={names.replace('/', '%2F')}").json()
    )


def test_discover_lists_movies_by_revenue(sandbox: SandboxProcess, get: Fetch) -> None:
    page = get(f"{sandbox.api_url}/discover/movie?sort_by=revenue.desc").json()
    revenue = [
        get(f"{sandbox.api_url}/movie/{movie['id']}").json().get("revenue") for movie in page["results"]
    ]
    assert revenue == sorted(revenue, reverse=True) and len(revenue) == 20
    assert get(f"{sandbox.api_url}/discover/movie?page=501").json()["status_code"] == 22
    assert sandbox.journal()[-1].kind == "discover"


def test_days_pass_while_it_runs(get: Fetch) -> None:
    with SandboxProcess(["--movies", "300", "--seed", "6"]) as sandbox:
        first, bodies = sandbox.expected("movies"), sandbox.catalogue(day=3)
        for number in first:
            get(f"{sandbox.api_url}/movie/{number}")
        sandbox.set(day=3)
        third = sandbox.expected("movies")
        assert third != first == sandbox.expected("movies", day=0)
        assert third == dict(bodies.expected("movies"))
        yesterday = datetime.now(UTC).date() - timedelta(days=1)
        names = [f"movie_ids_{yesterday - timedelta(days=ago):%m_%d_%Y}.json.gz" for ago in (0, 3)]
        files = [gzip.decompress(get(f"{sandbox.export_url}/{name}", key=None).body) for name in names]
        exported = [[json.loads(line)["id"] for line in file.splitlines()] for file in files]
        assert exported == [list(third), list(first)]
        today = datetime.now(UTC).date()
        url = f"{sandbox.api_url}/movie/changes?start_date={today}&end_date={today}"
        told = {entry["id"] for entry in get(url).json()["results"]} - {None}
        assert told == set(bodies.changed("movies"))
        for number in told:
            assert get(f"{sandbox.api_url}/movie/{number}").body == bodies.body("movies", number)


def test_the_present_day_can_have_a_date_and_a_cache_lags_behind(get: Fetch) -> None:
    options = ["--movies", "300", "--day", "5", "--today", "2027-03-02", "--stale-records", "1"]
    with SandboxProcess(options) as sandbox:
        assert get(f"{sandbox.export_url}/movie_ids_03_01_2027.json.gz", key=None).status == 200
        assert get(f"{sandbox.export_url}/movie_ids_03_02_2027.json.gz", key=None).status == 403
        number = next(iter(sandbox.catalogue(day=5).changed("movies")))
        assert get(f"{sandbox.api_url}/movie/{number}").body == sandbox.catalogue(day=4).body(
            "movies", number
        )
        sandbox.set(stale_records=0)
        assert get(f"{sandbox.api_url}/movie/{number}").body == sandbox.catalogue(day=5).body(
            "movies", number
        )


def test_a_kind_or_a_day_that_there_is_not_is_refused(sandbox: SandboxProcess) -> None:
    with pytest.raises(SandboxError, match="no kind 'films'; there are movies"):
        sandbox.expected("films")
    with pytest.raises(SandboxError, match="expected a whole number from 0"):
        sandbox.expected("movies&day=x")


def test_a_deleted_movie_is_exported_and_404(
    sandbox: SandboxProcess, get: Fetch, catalogue: GeneratedCatalogue
) -> None:
    assert get(f"{sandbox.api_url}/movie/{an_id(catalogue, 'missing')}").status == 404


@pytest.mark.parametrize("key", [None, "short", "g" * 32, "eyJ.token.as-key"])
def test_a_bad_key_is_401_code_7(sandbox: SandboxProcess, get: Fetch, key: str | None) -> None:
    got = get(f"{sandbox.api_url}/authentication", key=key)
    assert (got.status, got.json()["status_code"]) == (401, 7)


def test_a_read_token_is_as_good_as_a_key(sandbox: SandboxProcess, get: Fetch) -> None:
    got = get(
        f"{sandbox.api_url}/authentication", key=None, headers={"Authorization": "Bearer eyJhbGciOi.J9.x_y-z"}
    )
    assert (got.status, got.json()["success"]) == (200, True)


@pytest.mark.parametrize(("count", "status"), [(20, 200), (21, 400)])
def test_more_than_twenty_appended_parts_are_refused(
    sandbox: SandboxProcess, get: Fetch, catalogue: GeneratedCatalogue, count: int, status: int
) -> None:
    parts = ",".join(f"part{number}" for number in range(count))
    got = get(f"{sandbox.api_url}/movie/{an_id(catalogue, 'kept')}?append_to_response={parts}")
    assert got.status == status
    assert status == 200 or got.json()["status_code"] == 27


def test_the_configuration_is_served(sandbox: SandboxProcess, get: Fetch) -> None:
    assert "images" in get(f"{sandbox.api_url}/configuration").json()


def test_changes_come_in_pages_of_a_hundred(sandbox: SandboxProcess, get: Fetch) -> None:
    url = f"{sandbox.api_url}/movie/changes?start_date=2026-08-01&end_date=2026-08-15"
    first = get(url).json()
    pages = [get(f"{url}&page={page}").json() for page in range(1, first["total_pages"] + 1)]
    ids = [result["id"] for page in pages for result in page["results"]]
    assert first["total_pages"] >= 2 and len(first["results"]) == 100
    assert [len(page["results"]) for page in pages[:-1]] == [100] * (len(pages) - 1)
    assert len(ids) == first["total_results"] > len(set(ids)) > 100
    assert {result["adult"] for page in pages for result in page["results"]} == {False, None}


@pytest.mark.parametrize(
    ("query", "status", "code"),
    [
        ("start_date=2026-08-01&end_date=2026-08-16", 422, 20),
        ("start_date=2026-08-02&end_date=2026-08-01", 422, 20),
        ("start_date=yesterday", 422, 20),
        ("page=0", 400, 22),
        ("page=501", 400, 22),
        ("page=x", 400, 22),
    ],
)
def test_changes_refuse_impossible_questions(
    sandbox: SandboxProcess, get: Fetch, query: str, status: int, code: int
) -> None:
    got = get(f"{sandbox.api_url}/person/changes?{query}")
    assert (got.status, got.json()["status_code"]) == (status, code)


def test_yesterdays_export_is_served_and_tomorrows_is_not(
    sandbox: SandboxProcess, get: Fetch, catalogue: GeneratedCatalogue
) -> None:
    today = datetime.now(UTC).date()
    got = get(f"{sandbox.export_url}/movie_ids_{today - timedelta(days=1):%m_%d_%Y}.json.gz", key=None)
    lines = gzip.decompress(got.body).splitlines()
    assert [json.loads(line)["id"] for line in lines] == list(catalogue.ids("movies"))
    missing = get(f"{sandbox.export_url}/movie_ids_{today + timedelta(days=1):%m_%d_%Y}.json.gz", key=None)
    assert missing.status == 403 and b"<Code>AccessDenied</Code>" in missing.body


def test_the_expected_outcomes_are_the_catalogues(
    sandbox: SandboxProcess, catalogue: GeneratedCatalogue
) -> None:
    assert sandbox.expected("movies") == dict(catalogue.expected("movies"))
    assert sandbox.expected("people") == dict(catalogue.expected("people"))


def test_named_keys_are_the_only_ones_and_a_suspended_one_says_so(get: Fetch) -> None:
    with SandboxProcess(["--movies", "30", "--key", "mine", "--suspended-key", "gone"]) as sandbox:
        answers = {key: get(f"{sandbox.api_url}/authentication", key=key) for key in ("mine", KEY, "gone")}
    assert [answer.json()["status_code"] for answer in answers.values()] == [1, 7, 10]


def test_it_serves_https(tmp_path: Path, get: Fetch) -> None:
    authority = trustme.CA()
    pem = tmp_path / "server.pem"
    authority.issue_cert("127.0.0.1").private_key_and_cert_chain_pem.write_to_path(str(pem))
    context = ssl.create_default_context()
    authority.configure_trust(context)
    with SandboxProcess(["--movies", "30", "--tls-cert", str(pem), "--tls-key", str(pem)]) as sandbox:
        assert sandbox.url.startswith("https://127.0.0.1:")
        assert get(f"{sandbox.api_url}/authentication", context=context).status == 200
        assert sandbox.stats()["requests"] == 1
