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

from tmdb_scrapy.sandbox.catalogue.generated import GeneratedCatalogue
from tmdb_scrapy.sandbox.server.process import SandboxProcess

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
