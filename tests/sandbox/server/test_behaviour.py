"""Limits, faults and outages, over real HTTP, changed while the sandbox runs."""

from __future__ import annotations

import gzip
import http.client
import json
import socket
import time
import zlib
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from typing import Any
from urllib.parse import urlsplit

import pytest
from waiting import wait_until

from tmdb_scrapy.sandbox.catalogue.generated import GeneratedCatalogue
from tmdb_scrapy.sandbox.server.process import SandboxError, SandboxProcess

Fetch = Callable[..., Any]
KEY = "0123456789abcdef" * 2


@pytest.fixture
def movies() -> Iterator[int]:
    """IDs of movies that exist."""
    expected = GeneratedCatalogue({"movies": 400, "people": 60}).expected("movies")
    return (number for number, outcome in expected if outcome != "missing")


def fails(get: Fetch, url: str) -> bool:
    try:
        get(url)
    except (http.client.HTTPException, OSError):
        return True
    return False


def test_a_limit_per_address_answers_429_and_leaves_others_alone(changed: SandboxProcess, get: Fetch) -> None:
    changed.set(limit_per_ip=0.01, limit_burst=5)
    url = f"{changed.api_url}/authentication"
    answers = [get(url, source="127.0.0.2") for _ in range(10)]
    assert [answer.status for answer in answers] == [200] * 5 + [429] * 5
    assert answers[-1].json()["status_code"] == 25 and "retry-after" not in answers[-1].headers
    assert get(url, source="127.0.0.3").status == 200


def test_a_limit_per_key_holds_across_addresses(changed: SandboxProcess, get: Fetch) -> None:
    changed.set(limit_per_key=0.01, limit_burst=2, retry_after=3)
    url = f"{changed.api_url}/authentication"
    answers = [get(url, source=f"127.0.0.{number}", key="a" * 32) for number in range(10, 16)]
    assert [answer.status for answer in answers[:2]] == [200, 200]
    assert answers[-1].status == 429 and answers[-1].headers["retry-after"] == "3"
    assert get(url, key="b" * 32).status == 200


def test_only_every_second_refusal_tells_when_to_come_back_if_so_told(
    changed: SandboxProcess, get: Fetch
) -> None:
    changed.set(limit_per_ip=0.01, limit_burst=1, retry_after=1, retry_after_every=2)
    url = f"{changed.api_url}/authentication"
    refused = [get(url, source="127.0.0.20") for _ in range(7)][1:]
    assert [answer.status for answer in refused] == [429] * 6
    told = ["retry-after" in answer.headers for answer in refused]
    assert told in ([True, False] * 3, [False, True] * 3)


def test_connections_above_the_limit_are_reset(changed: SandboxProcess) -> None:
    changed.set(connections_per_ip=3)
    where = urlsplit(changed.url)
    with ExitStack() as stack:
        connections = [http.client.HTTPConnection("127.0.0.1", where.port, timeout=5) for _ in range(4)]
        for connection in connections:
            stack.callback(connection.close)
        for connection in connections[:3]:
            connection.request("GET", f"/3/authentication?api_key={KEY}")
            assert connection.getresponse().read()
        with pytest.raises(OSError):
            connections[3].request("GET", "/3/authentication")
            connections[3].getresponse()
    assert changed.stats()["refused_connections"] == 1


@pytest.mark.parametrize(
    ("fault", "status", "code"),
    [
        ("500", 500, 11),
        ("502", 502, 43),
        ("503", 503, 9),
        ("504", 504, 24),
        ("429", 429, 25),
        ("code25", 200, 25),
    ],
)
def test_error_faults_have_tmdbs_bodies(
    changed: SandboxProcess, get: Fetch, movies: Iterator[int], fault: str, status: int, code: int
) -> None:
    changed.set(faults={fault: 1})
    got = get(f"{changed.api_url}/movie/{next(movies)}")
    assert (got.status, got.json()["status_code"]) == (status, code)


def test_malformed_is_a_complete_answer_with_broken_json(
    changed: SandboxProcess, get: Fetch, movies: Iterator[int]
) -> None:
    changed.set(faults={"malformed": 1})
    got = get(f"{changed.api_url}/movie/{next(movies)}", headers={"Accept-Encoding": "gzip"})
    assert got.status == 200 and got.headers["content-type"].startswith("application/json")
    with pytest.raises(json.JSONDecodeError):
        got.json()


def test_html_comes_with_status_200(changed: SandboxProcess, get: Fetch, movies: Iterator[int]) -> None:
    changed.set(faults={"html": 1})
    got = get(f"{changed.api_url}/movie/{next(movies)}")
    assert got.status == 200 and got.headers["content-type"].startswith("text/html")


@pytest.mark.parametrize(
    ("fault", "status", "content_type"),
    [("blocked", 403, "text/html"), ("cloudfront", 403, "application/xml"), ("portal", 302, "text/html")],
)
def test_pages_of_others_come_in_place_of_a_record(
    changed: SandboxProcess, get: Fetch, movies: Iterator[int], fault: str, status: int, content_type: str
) -> None:
    changed.set(faults={fault: 1})
    got = get(f"{changed.api_url}/movie/{next(movies)}")
    assert got.status == status and got.headers["content-type"].startswith(content_type)
    assert ("location" in got.headers) == (fault == "portal")
    assert get(f"{changed.api_url}/configuration").status == 200


@pytest.mark.parametrize("down", ["html", "blocked", "cloudfront", "portal"])
def test_while_it_is_down_others_send_their_pages_for_everything(
    changed: SandboxProcess, get: Fetch, down: str
) -> None:
    urls = [
        f"{changed.api_url}/configuration",
        f"{changed.api_url}/movie/2",
        f"{changed.url}/4/list/1",
        f"{changed.export_url}/movie_ids_01_01_2026.json.gz",
    ]
    changed.set(down=down)
    pages = {(got.status, got.body) for got in map(get, urls)}
    assert len(pages) == 1 and b"status_code" not in pages.pop()[1]
    assert {entry.fault for entry in changed.journal()[-3:]} == {"down"}


def test_a_portal_leads_to_a_page_where_one_has_to_log_in(changed: SandboxProcess, get: Fetch) -> None:
    changed.set(down="portal")
    got = get(f"{changed.api_url}/configuration")
    there = get(f"{changed.url}{got.headers['location']}", key=None)
    assert (there.status, there.headers["content-type"]) == (200, "text/html;charset=utf-8")
    assert b"log in" in there.body


def test_it_can_be_down_from_the_first_request(get: Fetch) -> None:
    with SandboxProcess(["--movies", "30", "--down", "blocked"]) as sandbox:
        assert get(f"{sandbox.api_url}/configuration").status == 403
        sandbox.set(down=False)
        assert get(f"{sandbox.api_url}/configuration").status == 200
    with SandboxProcess(["--movies", "30", "--down", "reset"]) as sandbox:
        assert fails(get, f"{sandbox.api_url}/configuration")


@pytest.mark.parametrize("encoding", ["x-gzip", "GZIP"])
def test_gzip_can_come_under_other_names(
    changed: SandboxProcess, get: Fetch, movies: Iterator[int], encoding: str
) -> None:
    url = f"{changed.api_url}/movie/{next(movies)}"
    plain = get(url).body
    changed.set(faults={encoding: 1})
    got = get(url)
    assert got.headers["content-encoding"] == encoding and got.body == plain


def test_a_body_can_come_in_two_gzip_members(
    changed: SandboxProcess, get: Fetch, movies: Iterator[int]
) -> None:
    where = urlsplit(f"{changed.api_url}/movie/{next(movies)}")
    plain = get(where.geturl()).body
    changed.set(faults={"two-members": 1})
    connection = http.client.HTTPConnection("127.0.0.1", where.port, timeout=5)
    connection.request("GET", f"{where.path}?api_key={KEY}")
    raw = connection.getresponse().read()
    connection.close()
    first = zlib.decompressobj(31)
    half = first.decompress(raw)
    assert half != plain and half + gzip.decompress(first.unused_data) == plain


def test_a_byte_order_mark_can_come_before_the_json(
    changed: SandboxProcess, get: Fetch, movies: Iterator[int]
) -> None:
    url = f"{changed.api_url}/movie/{next(movies)}"
    plain = get(url).body
    changed.set(faults={"bom": 1})
    assert get(url).body == b"\xef\xbb\xbf" + plain


def test_what_is_to_be_appended_is_left_out_or_an_error_until_told_otherwise(
    changed: SandboxProcess, get: Fetch, movies: Iterator[int]
) -> None:
    names = "credits,keywords,similar"
    url = f"{changed.api_url}/movie/{next(movies)}?append_to_response={names}"
    whole = get(url).json()
    changed.set(without_appended={"credits": 1}, broken_appended={"keywords": 1})
    spoilt = get(url).json()
    assert whole.keys() - spoilt.keys() == {"credits"}
    assert (spoilt["keywords"]["success"], spoilt["keywords"]["status_code"]) == (False, 34)
    assert spoilt["similar"] == whole["similar"]
    changed.set(without_appended={}, broken_appended={})
    assert get(url).json() == whole


@pytest.mark.parametrize("fault", ["reset", "truncate"])
def test_cut_answers_never_look_complete(
    changed: SandboxProcess, get: Fetch, movies: Iterator[int], fault: str
) -> None:
    changed.set(faults={fault: 1})
    urls = [f"{changed.api_url}/movie/{next(movies)}" for _ in range(12)]
    assert all(fails(get, url) for url in urls)
    assert {entry.status for entry in changed.journal()[-12:]} == ({0, 200} if fault == "reset" else {200})


def test_a_slow_answer_takes_ten_times_the_latency(
    changed: SandboxProcess, get: Fetch, movies: Iterator[int]
) -> None:
    changed.set(faults={"slow": 1}, latency_ms=50)
    started = time.monotonic()
    assert get(f"{changed.api_url}/movie/{next(movies)}").status == 200
    assert time.monotonic() - started >= 0.5


def test_a_hanging_request_is_journalled_when_the_client_gives_up(
    changed: SandboxProcess, movies: Iterator[int]
) -> None:
    changed.set(faults={"hang": 1})
    with socket.create_connection(("127.0.0.1", urlsplit(changed.url).port or 0)) as connection:
        connection.sendall(f"GET /3/movie/{next(movies)}?api_key={KEY} HTTP/1.1\r\nHost: x\r\n\r\n".encode())
        wait_until(lambda: changed.stats()["in_flight"] == 1, "the request hangs")
    wait_until(lambda: changed.stats()["in_flight"] == 0, "the sandbox notices that the client is gone")
    last = changed.journal()[-1]
    assert (last.fault, last.status, last.bytes) == ("hang", 0, 0)


def test_a_poisoned_movie_always_answers_500(
    changed: SandboxProcess, get: Fetch, movies: Iterator[int]
) -> None:
    poisoned, other = next(movies), next(movies)
    changed.set(poison=[poisoned])
    assert [get(f"{changed.api_url}/movie/{poisoned}").status for _ in range(3)] == [500, 500, 500]
    assert get(f"{changed.api_url}/movie/{other}").status == 200


def test_down_resets_everything_but_the_controls(changed: SandboxProcess, get: Fetch) -> None:
    changed.set(down=True)
    assert fails(get, f"{changed.api_url}/authentication")
    assert fails(get, f"{changed.export_url}/movie_ids_01_01_2026.json.gz")
    changed.set(down="503")
    got = get(f"{changed.api_url}/authentication")
    assert (got.status, got.json()["status_code"]) == (503, 9)
    changed.set(down=False)
    assert get(f"{changed.api_url}/authentication").status == 200


@pytest.mark.parametrize(
    "bad", [{"limit_per_ip": -1}, {"no_such": 1}, {"faults": {"odd": 0.5}}, {"down": "500"}]
)
def test_an_impossible_setting_is_refused_and_changes_nothing(
    sandbox: SandboxProcess, bad: dict[str, Any]
) -> None:
    before = sandbox.set()
    with pytest.raises(SandboxError, match="answered 400"):
        sandbox.set(**bad)
    assert sandbox.set() == before


def test_the_journal_has_one_entry_a_request_and_the_stats_agree(get: Fetch) -> None:
    ids = list(GeneratedCatalogue({"movies": 60}).ids("movies"))
    with SandboxProcess(["--movies", "60", "--latency-ms", "30", "--latency-jitter-ms", "10"]) as sandbox:
        with ThreadPoolExecutor(8) as threads:
            answers = list(threads.map(lambda number: get(f"{sandbox.api_url}/movie/{number}"), ids))
        stats, entries = sandbox.stats(), sandbox.journal()
        assert sandbox.stop() == 0
        assert sandbox.journal() == entries
    assert sorted(entry.id for entry in entries) == ids
    assert Counter(entry.status for entry in entries) == Counter(answer.status for answer in answers)
    assert all(
        0.025 <= entry.end - entry.t < 5 and entry.key == KEY and entry.kind == "movies" for entry in entries
    )
    assert stats["requests"] == 60 and stats["by_ip"] == {"127.0.0.1": 60}
    assert stats["max_in_flight"] == max(entry.in_flight for entry in entries) <= 8
    assert 1 < stats["mean_in_flight"] <= 8


def test_faults_are_repeatable_and_retries_get_through(get: Fetch) -> None:
    def attempts() -> list[list[int]]:
        with SandboxProcess(
            ["--seed", "4", "--movies", "40", "--fault", "500=0.3", "--fault", "503=0.2"]
        ) as sandbox:
            ids = sandbox.expected("movies")
            return [[get(f"{sandbox.api_url}/movie/{number}").status for _ in range(4)] for number in ids]

    first = attempts()
    assert first == attempts()
    assert any(statuses[0] >= 500 and statuses[1] < 500 for statuses in first)
