"""A crawl by our engine does what Scrapy's would: callbacks of every kind, middlewares, errbacks, signals."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator
from functools import partial
from typing import Any, ClassVar

import pytest
from scrapy import Request, Spider, signals
from scrapy.exceptions import DropItem, IgnoreRequest
from scrapy.http import Response, TextResponse
from scrapy.settings import Settings
from twisted.python.failure import Failure

from tmdb_scrapy import settings as page
from tmdb_scrapy.engine import engine
from tmdb_scrapy.engine.choice import COMPONENTS
from tmdb_scrapy.engine.crawler import TmdbCrawler
from tmdb_scrapy.engine.direct_crawler import DirectCrawler


class Wire:
    """Answers each request with its own path, without a network; /broken cannot be reached."""

    lazy = False

    async def download_request(self, request: Request) -> Response:
        await asyncio.sleep(0)
        if request.url.endswith("/broken"):
            raise ConnectionError("cut")
        return TextResponse(request.url, body=request.url.rpartition("/")[2].encode(), request=request)

    async def close(self) -> None:
        """Nothing is open."""


class Told:
    """Records the signals of a crawl."""

    def __init__(self) -> None:
        self.scraped: list[Any] = []
        self.dropped: list[str] = []
        self.item_errors: list[str] = []
        self.spider_errors: list[str] = []
        self.responses: list[str] = []
        self.closed: list[str] = []

    def listen_to(self, crawler: TmdbCrawler) -> None:
        connect = crawler.signals.connect
        connect(self._scraped, signals.item_scraped)
        connect(self._dropped, signals.item_dropped)
        connect(self._item_error, signals.item_error)
        connect(self._spider_error, signals.spider_error)
        connect(self._response, signals.response_received)
        connect(self._closed, signals.spider_closed)

    def _scraped(self, item: Any) -> None:
        self.scraped.append(item)

    def _dropped(self, exception: Exception) -> None:
        self.dropped.append(str(exception))

    async def _item_error(self, failure: Failure) -> None:
        self.item_errors.append(type(failure.value).__name__)

    def _spider_error(self, failure: Failure) -> None:
        self.spider_errors.append(type(failure.value).__name__)

    def _response(self, response: Response) -> None:
        self.responses.append(response.text)

    async def _closed(self, reason: str) -> None:
        self.closed.append(reason)


class PathSpider(Spider):
    """Asks for each path of `paths` once; subclasses say what becomes of the answers."""

    name = "paths"
    paths: tuple[str, ...] = ("a", "b")

    async def start(self) -> AsyncIterator[Any]:
        for path in self.paths:
            yield self.request(path)

    def request(self, path: str) -> Request:
        return Request(f"http://localhost/{path}", dont_filter=True, errback=self.failed)

    def failed(self, failure: Failure) -> Any:
        """Failures are not expected."""
        raise AssertionError(failure)


PAGE = {name: getattr(page, name) for name in dir(page) if name.isupper()} | {
    "TWISTED_REACTOR_ENABLED": False,
    "ASYNCIO_EVENT_LOOP": None,
    "DOWNLOAD_HANDLERS": {"http": Wire, "https": None},
    "ITEM_PIPELINES": {},
    "EXTENSIONS": {},
    "LOG_ENABLED": False,
}
"""Our settings without what needs a reactor, a network or a Redis."""


Crawled = Callable[..., Told]


@pytest.fixture(params=[DirectCrawler, TmdbCrawler], ids=["shorter way", "Scrapy's own"])
def crawled(request: pytest.FixtureRequest) -> Crawled:
    """Crawls to the end in this process. What Scrapy's own engine does, ours has to do."""
    return partial(crawled_by, request.param)


def crawled_by(
    crawler_class: type[TmdbCrawler], spider_class: type[Spider], ends: str = "finished", **settings: Any
) -> Told:
    settings["SPIDER_MIDDLEWARES"] = page.SPIDER_MIDDLEWARES | settings.get("SPIDER_MIDDLEWARES", {})
    parts = COMPONENTS if crawler_class is DirectCrawler else {}
    crawler = crawler_class(spider_class, Settings(PAGE | parts | settings))
    told = Told()
    told.listen_to(crawler)

    async def main() -> None:
        async with asyncio.timeout(20):
            await crawler.crawl_async()

    asyncio.run(main())
    assert told.closed == [ends]
    return told


class ReturnsAnItem(PathSpider):
    def parse(self, response: Response, **named: Any) -> Any:
        return {"path": response.text}


class ReturnsAList(PathSpider):
    def parse(self, response: Response, **named: Any) -> Any:
        return [{"path": response.text}]


class Generates(PathSpider):
    def parse(self, response: Response, **named: Any) -> Iterator[Any]:
        yield {"path": response.text}


class AnswersLater(PathSpider):
    async def parse(self, response: Response, **named: Any) -> Any:
        await asyncio.sleep(0)
        return {"path": response.text}


class GeneratesLater(PathSpider):
    async def parse(self, response: Response, **named: Any) -> AsyncIterator[Any]:
        await asyncio.sleep(0)
        yield {"path": response.text}


EVERY_KIND = (ReturnsAnItem, ReturnsAList, Generates, AnswersLater, GeneratesLater)


class OnlyForA:
    """A pipeline that takes what came of /a, and fails or refuses the rest."""

    def process_item(self, item: Any) -> Any:
        if item["path"] == "b":
            raise DropItem("not b")
        if item["path"] == "c":
            raise ZeroDivisionError
        return item | {"seen": True}


@pytest.mark.parametrize("spider", EVERY_KIND)
def test_whatever_kind_the_callback_is_its_items_come_out(crawled: Crawled, spider: type[Spider]) -> None:
    told = crawled(spider)
    assert sorted(item["path"] for item in told.scraped) == sorted(told.responses) == ["a", "b"]


@pytest.mark.parametrize("spider", EVERY_KIND)
def test_items_go_through_the_pipelines_and_their_ends_are_told(
    crawled: Crawled, spider: type[PathSpider]
) -> None:
    asking = type("Asking", (spider,), {"paths": ("a", "b", "c")})
    told = crawled(asking, ITEM_PIPELINES={OnlyForA: 1})
    assert told.scraped == [{"path": "a", "seen": True}]
    assert told.dropped == ["not b"]
    assert told.item_errors == ["ZeroDivisionError"]


def test_a_request_from_a_callback_is_crawled(crawled: Crawled) -> None:
    class Follows(PathSpider):
        paths = ("a",)

        def parse(self, response: Response, **named: Any) -> Any:
            return self.request("b") if response.text == "a" else {"path": response.text}

    assert crawled(Follows).scraped == [{"path": "b"}]


def test_an_exception_in_a_callback_is_told_and_the_crawl_goes_on(
    crawled: Crawled, caplog: pytest.LogCaptureFixture
) -> None:
    class Stumbles(PathSpider):
        def parse(self, response: Response, **named: Any) -> Any:
            if response.text == "a":
                raise ZeroDivisionError
            return {"path": response.text}

    told = crawled(Stumbles)
    assert told.spider_errors == ["ZeroDivisionError"]
    assert told.scraped == [{"path": "b"}]
    assert "Spider error processing" in caplog.text


def test_a_failed_download_goes_to_the_errback_and_the_items_of_that_come_out(crawled: Crawled) -> None:
    class Recovers(PathSpider):
        paths = ("broken",)

        def failed(self, failure: Failure) -> Any:
            return {"path": str(failure.value)}

    told = crawled(Recovers)
    assert told.scraped == [{"path": "cut"}]
    assert told.responses == []


class Doubles:
    """A spider middleware: each item comes out twice."""

    async def process_spider_output(self, response: Response, result: Any) -> AsyncIterator[Any]:
        async for item in result:
            yield item
            yield item


class Refuses:
    """A spider middleware that lets no answer of /a through."""

    def process_spider_input(self, response: Response) -> None:
        if response.text == "a":
            raise IgnoreRequest


@pytest.mark.parametrize("spider", EVERY_KIND)
def test_an_installed_spider_middleware_sees_what_comes_out(crawled: Crawled, spider: type[Spider]) -> None:
    told = crawled(spider, SPIDER_MIDDLEWARES={Doubles: 100})
    assert sorted(item["path"] for item in told.scraped) == ["a", "a", "b", "b"]


def test_an_installed_spider_middleware_sees_what_goes_in(crawled: Crawled) -> None:
    class Refused(ReturnsAnItem):
        def failed(self, failure: Failure) -> Any:
            return {"path": type(failure.value).__name__}

    told = crawled(Refused, SPIDER_MIDDLEWARES={Refuses: 100})
    assert sorted(item["path"] for item in told.scraped) == ["IgnoreRequest", "b"]


class Renames:
    """A downloader middleware that answers /a itself and asks another way for /b."""

    def process_request(self, request: Request) -> Any:
        if request.url.endswith("/a"):
            return TextResponse(request.url, body=b"own", request=request)
        if request.url.endswith("/b"):
            return request.replace(url="http://localhost/c")
        return None


def test_an_installed_downloader_middleware_answers_and_asks_again(crawled: Crawled) -> None:
    told = crawled(ReturnsAnItem, DOWNLOADER_MIDDLEWARES={Renames: 100})
    assert sorted(item["path"] for item in told.scraped) == ["c", "own"]


def test_what_start_raises_is_told_and_ends_the_crawl(
    crawled: Crawled, caplog: pytest.LogCaptureFixture
) -> None:
    class Stumbles(ReturnsAnItem):
        async def start(self) -> AsyncIterator[Any]:
            yield self.request("a")
            raise ZeroDivisionError

    assert crawled(Stumbles, ends="start_error").scraped == [{"path": "a"}]
    assert "ZeroDivisionError" in caplog.text


def test_a_spider_that_is_stopped_while_it_opens_is_closed_before_its_first_request(crawled: Crawled) -> None:
    class StopsAtOnce(ReturnsAnItem):
        @classmethod
        def from_crawler(cls, crawler: Any, *args: Any, **kwargs: Any) -> Any:
            spider = super().from_crawler(crawler, *args, **kwargs)
            crawler.signals.connect(spider.opened, signals.spider_opened)
            return spider

        async def opened(self) -> None:
            self.stopping = asyncio.ensure_future(self.crawler.stop_async())
            await asyncio.sleep(0)

    told = crawled(StopsAtOnce, ends="shutdown")
    assert told.responses == []


class TellsTheOrder(PathSpider):
    events: ClassVar[list[str]]

    async def start(self) -> AsyncIterator[Any]:
        self.crawler.signals.connect(self.sent, signals.request_reached_downloader)
        async for request in super().start():
            yield request

    def sent(self, request: Request) -> None:
        self.events.append(f"{request.url[-1]} leaves")

    def parse(self, response: Response, **named: Any) -> None:
        self.events.append(f"{response.text} is looked at")


@pytest.mark.parametrize(
    ("far_s", "order"),
    [
        (0.0, ["a leaves", "b leaves", "a is looked at", "b is looked at"]),
        (60.0, ["a leaves", "a is looked at", "b leaves", "b is looked at"]),
    ],
    ids=["long way", "short way"],
)
def test_over_a_long_way_the_next_request_leaves_before_the_answer_is_looked_at(
    far_s: float, order: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(engine, "FAR_S", far_s)
    TellsTheOrder.events = []
    crawled_by(DirectCrawler, TellsTheOrder, CONCURRENT_REQUESTS=1)
    assert TellsTheOrder.events == order
