"""From a claim to its request, and from an answer to an outcome or another attempt."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from crawlers import crawler_of
from scrapy import Request
from scrapy.exceptions import IgnoreRequest
from scrapy.http import TextResponse
from twisted.python.failure import Failure

from tmdb_scrapy import settings as page
from tmdb_scrapy.config import ConfigError
from tmdb_scrapy.kinds import KINDS
from tmdb_scrapy.pacing.pacing import Stopping
from tmdb_scrapy.queue import Lease, State
from tmdb_scrapy.queue.feed import Claim
from tmdb_scrapy.records.record import Record
from tmdb_scrapy.spiders.of_kinds import SPIDERS
from tmdb_scrapy.spiders.retries import HOPELESS, LONGEST_BACKOFF_S
from tmdb_scrapy.spiders.spider import TmdbSpider
from tmdb_scrapy.worker import Worker

SETTINGS = {name: getattr(page, name) for name in dir(page) if name.isupper()}
RETRIES = SETTINGS["RETRY_TIMES"]
WHOLE = b'{"id":7,"budget":5,"credits":{},"keywords":{},"similar":{},"recommendations":{}}'
WITHOUT_CREDITS = b'{"id":7,"keywords":{},"similar":{},"recommendations":{}}'
MISSING = json.dumps({"success": False, "status_code": 34, "status_message": "Not found."}).encode()

Make = Callable[..., Any]


@pytest.fixture
def make(as_user: pytest.MonkeyPatch) -> Make:
    """Makes a spider with its crawler, which does not run."""

    def made(spider_class: type[TmdbSpider] = SPIDERS["movies"], **variables: str) -> Any:
        for name, value in variables.items():
            as_user.setenv(name, value)
        return crawler_of(spider_class).spider

    return made


def claim(tmdb_id: int = 7) -> Claim:
    return Claim(Lease(b"1-1", tmdb_id))


def parse(spider: Any, body: bytes, status: int = 200, of: Claim | None = None, **meta: Any) -> Any:
    request = spider.request_for(of or claim())
    request.meta.update(meta)
    response = TextResponse(request.url, status=status, body=body, request=request)

    async def main() -> Any:
        return spider.parse(response)

    return asyncio.run(main())


def fail(spider: Any, error: Exception, of: Claim, **meta: Any) -> None:
    failure: Any = Failure(error)  # type: ignore[no-untyped-call]
    failure.request = spider.request_for(of)
    failure.request.meta.update(meta)

    async def main() -> None:
        spider.failed(failure)

    asyncio.run(main())


def outcomes(spider: Any) -> list[tuple[State, str]]:
    return [(settlement.state, settlement.reason) for settlement in spider.worker.feed.take_finished()]


class TestRequest:
    def test_of_a_movie(self, make: Make) -> None:
        request: Request = make(LANGUAGE="de-DE").request_for(claim(603))
        where = urlsplit(request.url)
        assert f"{where.scheme}://{where.netloc}{where.path}" == "https://api.themoviedb.org/3/movie/603"
        assert parse_qs(where.query) == {
            "language": ["de-DE"],
            "append_to_response": ["credits,keywords,similar,recommendations"],
        }
        assert "credits,keywords" in request.url  # commas as they are: one spelling, one cache entry

    def test_of_a_person(self, make: Make) -> None:
        request: Request = make(SPIDERS["people"]).request_for(claim(62))
        assert urlsplit(request.url).path == "/3/person/62"
        assert parse_qs(urlsplit(request.url).query)["append_to_response"] == ["movie_credits"]

    def test_nothing_appended(self, make: Make) -> None:
        request: Request = make(APPEND_TO_RESPONSE="", FILTER="off").request_for(claim())
        assert "append_to_response" not in request.url

    @pytest.mark.parametrize("spider_class", [SPIDERS["movies"], SPIDERS["people"]])
    def test_the_key_is_nowhere_in_it(
        self, make: Make, environment: dict[str, str], spider_class: type[TmdbSpider]
    ) -> None:
        spider = make(spider_class)
        request: Request = spider.request_for(claim())
        shown = f"{request!r} {request.to_dict(spider=spider)} {spider!r} {vars(spider)}"
        assert environment["TMDB_API_KEY"] not in shown

    def test_the_same_id_may_be_asked_again(self, make: Make) -> None:
        assert make().request_for(claim()).dont_filter


class TestAnswers:
    def test_a_record_is_an_item_and_its_outcome_comes_later(self, make: Make) -> None:
        spider = make()
        item = parse(spider, WHOLE)
        assert isinstance(item, Record)
        assert (item.kind, item.id, item.body) == (KINDS["movies"], 7, WHOLE)
        assert outcomes(spider) == []

    def test_a_person(self, make: Make) -> None:
        assert isinstance(parse(make(SPIDERS["people"]), b'{"id": 7, "movie_credits": {}}'), Record)

    def test_absent_is_not_empty_it_is_asked_for_again(self, make: Make) -> None:
        spider, one = make(), claim()
        assert parse(spider, WHOLE) is not None
        assert parse(spider, WITHOUT_CREDITS, of=one) is None
        assert (one.attempts, outcomes(spider)) == (1, [])

    def test_what_never_comes_for_one_id_fails_it(self, make: Make) -> None:
        spider, one = make(), claim()
        assert parse(spider, WHOLE) is not None
        for _ in range(RETRIES + 1):
            parse(spider, WITHOUT_CREDITS, of=one)
        assert outcomes(spider) == [(State.FAILED, "without_credits")]

    @pytest.mark.parametrize("ids", [1, 20, 1000])
    def test_what_never_comes_for_anybody_stops_the_crawl_and_settles_nothing(
        self, make: Make, ids: int, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        spider = make()
        stops: list[str] = []
        monkeypatch.setattr(Worker, "stop", lambda _, reason, told: stops.append(f"{reason}: {told}"))
        claims = [claim() for _ in range(ids)]
        for asked in range(ids * (RETRIES + 1)):
            parse(spider, WITHOUT_CREDITS, of=claims[asked % ids])
            if stops:
                break
        assert "appended_absent: no record has credits, which APPEND_TO_RESPONSE asks for" in stops[0]
        assert asked < max(100, ids)
        assert outcomes(spider) == []

    def test_a_missing_one_is_missing_at_once(self, make: Make) -> None:
        spider = make()
        assert parse(spider, MISSING, 404) is None
        assert outcomes(spider) == [(State.MISSING, "")]

    @pytest.mark.parametrize(
        ("status", "body", "reason"),
        [
            (200, b'{"id": 7, "tit', "malformed"),
            (200, b'{"id": 8}', "malformed"),
            (200, b"<html>", "not_json"),
            (200, b"", "not_json"),
            (404, b"<html>", "not_json"),
            (500, b"", "http_500"),
            (503, MISSING, "http_503"),
        ],
    )
    def test_a_broken_one_is_tried_again_and_then_failed(
        self, make: Make, status: int, body: bytes, reason: str
    ) -> None:
        spider, one = make(), claim()
        for attempt in range(RETRIES):
            assert parse(spider, body, status, of=one) is None
            assert (outcomes(spider), one.attempts) == ([], attempt + 1)
        parse(spider, body, status, of=one)
        assert outcomes(spider) == [(State.FAILED, reason)]
        assert spider.crawler.stats.get_value(f"retry/{reason}") == RETRIES + 1

    @pytest.mark.parametrize("between", [b"", WHOLE, MISSING])
    def test_when_all_come_to_nothing_the_crawl_stops(
        self, make: Make, between: bytes, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """The records' part of the API is down while the probe works. One that comes tells it from that."""
        spider = make()
        stops: list[str] = []
        monkeypatch.setattr(Worker, "stop", lambda _, reason, told: stops.append(f"{reason}: {told}"))
        for number in range(HOPELESS):
            assert stops == []
            if between and number == HOPELESS - 1:
                parse(spider, between, 200 if between is WHOLE else 404)
            one = claim()
            for _ in range(RETRIES + 1):
                parse(spider, b"", 503, of=one)
        assert bool(stops) == (not between)
        assert all(
            "hopeless: 100 movies in a row" in told and "scrapy retry movies" in told for told in stops
        )

    def test_a_successful_attempt_after_broken_ones_is_an_item(self, make: Make) -> None:
        spider, one = make(), claim()
        for _ in range(RETRIES):
            parse(spider, b"<html>", of=one)
        assert isinstance(parse(spider, WHOLE, of=one), Record)


class TestNoAnswer:
    def test_it_is_tried_again_and_then_failed(self, make: Make) -> None:
        spider, one = make(), claim()
        for _ in range(RETRIES + 1):
            assert outcomes(spider) == []
            fail(spider, ConnectionResetError("reset"), one)
        assert outcomes(spider) == [(State.FAILED, "ConnectionResetError")]

    def test_one_that_is_not_the_ids_fault_is_not_counted(self, make: Make) -> None:
        spider, one = make(), claim()
        for _ in range(3 * RETRIES):
            fail(spider, ConnectionResetError("reset"), one, chargeable=False)
        assert (outcomes(spider), one.attempts) == ([], 0)

    def test_an_outage_in_between_wipes_the_attempts_out(self, make: Make) -> None:
        spider, one = make(), claim()
        for _ in range(RETRIES):
            fail(spider, TimeoutError(), one)
        one.generation -= 1
        fail(spider, TimeoutError(), one)
        assert (outcomes(spider), one.attempts) == ([], 1)
        assert one.generation == spider.worker.pacing.breaker.generation

    def test_a_worker_that_stops_says_nothing_of_the_id(self, make: Make) -> None:
        spider, one = make(), claim()
        fail(spider, Stopping("the worker stops"), one)
        assert (outcomes(spider), one.attempts) == ([], 0)

    def test_a_middleware_that_ignores_the_request_has_decided(self, make: Make) -> None:
        spider = make()
        fail(spider, IgnoreRequest("no"), claim())
        assert outcomes(spider) == [(State.DROPPED, "ignored")]


def test_the_backoff_doubles_with_jitter_up_to_a_limit(make: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    spider, one = make(), claim()
    delays: list[float] = []
    spider._retry_times = 99
    monkeypatch.setattr(spider.worker.feed, "again", lambda claim, delay_s: delays.append(delay_s))
    for _ in range(12):
        fail(spider, TimeoutError(), one)
    for number, delay_s in enumerate(delays, 1):
        longest_s = min(0.5 * 2**number, LONGEST_BACKOFF_S)
        assert longest_s / 2 <= delay_s <= longest_s


class TestSettings:
    def test_the_concurrency_is_the_workers_share(self, make: Make) -> None:
        spider = make(THREADS="64", PROCESSES="2")
        settings = spider.crawler.settings
        assert settings.getint("CONCURRENT_REQUESTS") == 32
        assert settings.getint("CONCURRENT_REQUESTS_PER_DOMAIN") == 32

    def test_a_bad_configuration_ends_it(self, make: Make) -> None:
        with pytest.raises(ConfigError, match="THREADS"):
            make(THREADS="none")

    def test_every_worker_has_a_name_of_its_own_that_fits_into_a_path(self, make: Make) -> None:
        names = {make().worker.name for _ in range(3)}
        assert len(names) == 3
        assert not any("/" in name or " " in name for name in names)

    def test_it_is_a_redis_spider_of_the_right_queue(self, make: Make) -> None:
        assert make().redis_key == "{movies}:queue"
        assert make(SPIDERS["people"]).redis_key == "{people}:queue"
