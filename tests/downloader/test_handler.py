"""The download handler over real sockets: what waits in it, what goes up, and where the key goes."""

from __future__ import annotations

import asyncio
import gzip
import socket
import tracemalloc

import pytest
from scrapy import Request, Spider
from scrapy.core.downloader.middleware import DownloaderMiddlewareManager
from scrapy.exceptions import (
    DownloadConnectionRefusedError,
    DownloadFailedError,
    DownloadTimeoutError,
)
from scrapy.http import HtmlResponse, Response
from scripted_server import Answers, serving, sized
from stage import (
    RECORD,
    TOO_MANY,
    V3_KEY,
    V4_TOKEN,
    MakeCrawler,
    Stage,
    error,
    run,
    staged,
    until,
)

from tmdb_scrapy.downloader.handler import DROPS_FORGIVEN
from tmdb_scrapy.downloader.responses import verdict_of
from tmdb_scrapy.downloader.verdict import Verdict
from tmdb_scrapy.downloader.wire import DroppedError
from tmdb_scrapy.pacing.breaker import IN_A_ROW
from tmdb_scrapy.pacing.pacing import Stopping


class TestPace:
    @pytest.mark.parametrize(
        "headers",
        [
            (b"Retry-After: 1",),
            (b"Date: Wed, 21 Oct 2026 07:28:00 GMT", b"Retry-After: Wed, 21 Oct 2026 07:28:01 GMT"),
        ],
    )
    def test_a_429_waits_as_long_as_it_says_and_is_asked_again(
        self, make_crawler: MakeCrawler, headers: tuple[bytes, ...]
    ) -> None:
        async def scenario() -> None:
            script = Answers(sized(TOO_MANY, *headers, status=429), RECORD)
            async with staged(script, make_crawler) as stage:
                request = stage.request()
                assert (await stage.download(request)).body == b'{"id": 7}'
                asked_at, asked_again_at = script.times
                assert asked_again_at - asked_at >= 0.99
                assert stage.pacing.throttled == 1
                assert "chargeable" not in request.meta

        run(scenario())

    def test_code_25_counts_as_a_429_whatever_the_status_says(self, make_crawler: MakeCrawler) -> None:
        async def scenario() -> None:
            async with staged(Answers(sized(TOO_MANY), RECORD), make_crawler) as stage:
                assert (await stage.download()).body == b'{"id": 7}'
                assert stage.pacing.throttled == 1

        run(scenario())

    def test_nothing_is_sent_once_the_worker_stops(self, make_crawler: MakeCrawler) -> None:
        async def scenario() -> None:
            script = Answers(RECORD)
            async with staged(script, make_crawler) as stage:
                stage.pacing.close()
                with pytest.raises(Stopping):
                    await stage.download()
                assert not script.requests

        run(scenario())

    def test_a_refused_connection_is_paced_and_not_charged(self, make_crawler: MakeCrawler) -> None:
        async def scenario() -> None:
            with socket.socket() as closed:
                closed.bind(("127.0.0.1", 0))  # not listening yet: refuses
                url = f"http://127.0.0.1:{closed.getsockname()[1]}/3"
                async with staged(Answers(RECORD), make_crawler, TMDB_API_URL=url) as stage:
                    request = Request(f"{url}/movie/7")
                    rate_per_s = stage.pacing.governor.pace.rate_per_s
                    download = asyncio.create_task(stage.download(request))
                    await until(lambda: stage.count("pacing/refused"))
                    assert stage.pacing.governor.pace.rate_per_s < rate_per_s
                    listener = await asyncio.start_server(stage.server.serve, sock=closed)
                    assert (await download).status == 200
                    assert "chargeable" not in request.meta
                    listener.close()

        run(scenario())


class TestDroppedConnections:
    """A new connection that ends before the first byte: so does a CDN refuse one too many."""

    def test_it_is_paced_and_not_charged(self, make_crawler: MakeCrawler) -> None:
        async def scenario() -> None:
            async with staged(Answers(Answers.RESET, RECORD), make_crawler) as stage:
                rate_per_s = stage.pacing.governor.pace.rate_per_s
                assert (await stage.download()).status == 200
                assert stage.count("pacing/refused") == 1
                assert stage.pacing.governor.pace.rate_per_s < rate_per_s

        run(scenario())

    def test_an_id_at_which_the_server_always_breaks_down_is_charged_in_the_end(
        self, make_crawler: MakeCrawler
    ) -> None:
        async def scenario() -> None:
            script = Answers(Answers.RESET)
            async with staged(script, make_crawler) as stage:
                request = stage.request()
                with pytest.raises(DroppedError):
                    await stage.download(request)
                assert request.meta["chargeable"] is True
                assert len(script.requests) == DROPS_FORGIVEN + 1
                assert not stage.pacing.breaker.is_open

        run(scenario())

    def test_a_server_that_drops_all_of_them_is_down_and_nothing_fails_by_it(
        self, make_crawler: MakeCrawler
    ) -> None:
        async def scenario() -> None:
            script = Answers(Answers.RESET)
            async with staged(script, make_crawler) as stage:
                requests = [stage.request(number) for number in range(2 * IN_A_ROW)]
                downloads = [asyncio.create_task(stage.download(request)) for request in requests]
                await until(lambda: stage.pacing.breaker.generation)
                assert stage.pacing.breaker.is_open
                script.answers = [RECORD]
                assert {response.status for response in await asyncio.gather(*downloads)} == {200}

        run(scenario())

    def test_a_kept_one_says_nothing_of_the_server(self, make_crawler: MakeCrawler) -> None:
        async def scenario() -> None:
            async with staged(Answers(RECORD, Answers.RESET, RECORD), make_crawler) as stage:
                for _ in range(2):
                    assert (await stage.download()).status == 200
                assert stage.count("pacing/refused") == 0
                assert stage.server.connections >= 2

        run(scenario())


class TestKey:
    def test_a_v3_key_is_added_to_the_query_on_the_wire_alone(self, make_crawler: MakeCrawler) -> None:
        async def scenario() -> None:
            script = Answers(RECORD)
            async with staged(script, make_crawler) as stage:
                request = stage.request()
                response = await stage.download(request)
                line = script.requests[0].splitlines()[0].decode()
                assert line == f"GET /3/movie/7?language=en-US&api_key={V3_KEY} HTTP/1.1"
                assert V3_KEY not in f"{response.url} {response.headers} {request.url} {request.headers}"

        run(scenario())

    def test_a_v4_token_is_a_bearers(self, make_crawler: MakeCrawler) -> None:
        async def scenario() -> None:
            script = Answers(RECORD)
            async with staged(script, make_crawler, TMDB_API_KEY=V4_TOKEN) as stage:
                request = stage.request(headers={"Authorization": "Basic bm9ib2R5", "X-Own": "1"})
                response = await stage.download(request)
                line, *headers = script.requests[0].decode().splitlines()
                assert f"Authorization: Bearer {V4_TOKEN}" in headers and "X-Own: 1" in headers
                assert sum("authorization" in header.lower() for header in headers) == 1
                assert V4_TOKEN not in line
                assert V4_TOKEN not in f"{response.url} {response.headers} {request.url} {request.headers}"

        run(scenario())

    @pytest.mark.parametrize(
        ("answer", "raised"),
        [
            (sized(b"whole")[:-1], DownloadFailedError),
            (b"<html>not HTTP</html>\r\n\r\n", DownloadFailedError),
            (Answers.RESET, DroppedError),
            (b"HTTP/1.1 200", DownloadTimeoutError),
        ],
    )
    def test_no_error_shows_it(
        self, make_crawler: MakeCrawler, answer: bytes, raised: type[Exception]
    ) -> None:
        async def ending(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            await reader.readuntil(b"\r\n\r\n")
            writer.write(answer)
            if raised is DownloadTimeoutError:
                await reader.read()

        async def scenario() -> None:
            async with staged(ending, make_crawler) as stage:
                request = stage.request(meta={"download_timeout": 0.2})
                with pytest.raises(raised) as caught:
                    await stage.download(request)
                assert V3_KEY not in f"{caught.value!r} {caught.value} {stage.pacing.last_failure}"
                assert request.meta["chargeable"] is True

        run(scenario())

    @pytest.mark.parametrize("key", [V3_KEY, V4_TOKEN])
    @pytest.mark.parametrize("status", [401, 404, 503])
    def test_a_server_that_echoes_it_does_not_spread_it(
        self, make_crawler: MakeCrawler, key: str, status: int
    ) -> None:
        async def scenario() -> None:
            echo = error(7, f"Invalid key {key}.", status, f"Location: /?api_key={key}".encode())
            async with staged(Answers(echo), make_crawler, TMDB_API_KEY=key) as stage:
                response = await stage.download()
                assert b"Invalid key ***." in response.body
                assert response.headers["Location"] == b"/?api_key=***"
                assert key not in f"{response.headers} {response.body!r} {stage.pacing.last_failure}"

        run(scenario())


class TestBody:
    def test_it_is_decoded_and_the_headers_say_so(self, make_crawler: MakeCrawler) -> None:
        async def scenario() -> None:
            answer = sized(gzip.compress(b'{"id": 7}'), b"Content-Encoding: gzip", b"ETag: x")
            async with staged(Answers(answer), make_crawler) as stage:
                response = await stage.download()
                assert response.body == b'{"id": 7}'
                assert response.headers.to_unicode_dict() == {"Etag": "x"}

        run(scenario())

    @pytest.mark.parametrize(
        ("sent", "headers"),
        [
            (gzip.compress(b'{"id": 7}'), [b"Content-Encoding: GZIP"]),
            (gzip.compress(b'{"id": 7}'), [b"Content-Encoding: x-gzip"]),
            (gzip.compress(b'{"id"') + gzip.compress(b": 7}"), [b"Content-Encoding: gzip"]),
            (b'{"id": 7}', [b"Content-Encoding: gzip"]),
            (b'\xef\xbb\xbf{"id": 7}', []),
            (gzip.compress(b'\xef\xbb\xbf{"id": 7}'), [b"Content-Encoding: gzip"]),
        ],
        ids=["GZIP", "x-gzip", "two members", "decoded by a proxy", "byte order mark", "one within gzip"],
    )
    def test_oddities_on_the_way_leave_the_record_alone(
        self, make_crawler: MakeCrawler, sent: bytes, headers: list[bytes]
    ) -> None:
        async def scenario() -> None:
            async with staged(Answers(sized(sent, *headers)), make_crawler) as stage:
                response = await stage.download()
                assert response.body == b'{"id": 7}'
                assert verdict_of(response) is Verdict.RECORD

        run(scenario())

    def test_a_small_body_that_unpacks_to_a_huge_one_is_not_unpacked(self, make_crawler: MakeCrawler) -> None:
        async def scenario() -> None:
            bomb = gzip.compress(bytes(50 << 20))
            script = Answers(sized(bomb, b"Content-Encoding: gzip"))
            async with staged(script, make_crawler, {"DOWNLOAD_MAXSIZE": 1 << 20}) as stage:
                tracemalloc.start()
                with pytest.raises(DownloadFailedError, match="DOWNLOAD_MAXSIZE"):
                    await stage.download()
                assert tracemalloc.get_traced_memory()[1] < 10 << 20
                tracemalloc.stop()

        run(scenario())

    def test_a_redirect_is_not_followed(self, make_crawler: MakeCrawler) -> None:
        async def scenario() -> None:
            async with serving(Answers(RECORD)) as elsewhere:
                redirect = sized(b"", f"Location: {elsewhere.url}/3/movie/7".encode(), status=302)
                async with staged(Answers(redirect), make_crawler) as stage:
                    assert (await stage.download()).status == 302
                    assert "sends requests on to 127.0.0.1" in stage.pacing.last_failure
                assert elsewhere.connections == 0

        run(scenario())

    def test_one_that_is_cut_is_a_download_error(self, make_crawler: MakeCrawler) -> None:
        async def scenario() -> None:
            cut = gzip.compress(b'{"id": 7}')[:-4]
            async with staged(Answers(sized(cut, b"Content-Encoding: gzip")), make_crawler) as stage:
                request = stage.request()
                with pytest.raises(DownloadFailedError, match="gzip"):
                    await stage.download(request)
                assert request.meta["chargeable"] is True

        run(scenario())

    @pytest.mark.parametrize("encoded", [False, True])
    @pytest.mark.parametrize(("largest", "allowed"), [(0, True), (1_000, False)])
    def test_download_maxsize_limits_it_and_0_does_not(
        self, make_crawler: MakeCrawler, largest: int, allowed: bool, encoded: bool
    ) -> None:
        async def scenario() -> None:
            body = b'{"id": 7, "overview": "%s"}' % (b"x" * 1_000)
            answer = sized(gzip.compress(body), b"Content-Encoding: gzip") if encoded else sized(body)
            async with staged(Answers(answer), make_crawler, {"DOWNLOAD_MAXSIZE": largest}) as stage:
                if allowed:
                    assert (await stage.download()).body == body
                else:
                    with pytest.raises(DownloadFailedError):
                        await stage.download()

        run(scenario())


class TestOtherServers:
    """What is not the API: images of a pipeline, `scrapy shell`."""

    @pytest.mark.parametrize("status", [200, 404, 429, 500])
    def test_any_answer_goes_up_as_it_came(self, make_crawler: MakeCrawler, status: int) -> None:
        async def scenario() -> None:
            jpeg = b"\xff\xd8\xff\xe0" + bytes(range(256))
            script = Answers(sized(jpeg, b"Content-Type: image/jpeg", b"Retry-After: 60", status=status))
            async with staged(script, make_crawler, {"DOWNLOAD_DELAY": 60}) as stage:
                for _ in range(2 * IN_A_ROW):
                    request = Request(f"{stage.server.url}/p/poster.jpg")
                    response = await stage.download(request)
                    assert (response.status, response.body) == (status, jpeg)
                    assert response.headers["Content-Type"] == b"image/jpeg"
                assert (stage.pacing.throttled, stage.pacing.last_failure) == (0, "")
                assert not stage.pacing.breaker.is_open
                assert V3_KEY.encode() not in b"".join(script.requests)
                assert b"application/json" not in script.requests[0]

        run(scenario())

    def test_a_token_is_not_for_them(self, make_crawler: MakeCrawler) -> None:
        async def scenario() -> None:
            script = Answers(sized(b"x"))
            async with staged(script, make_crawler, TMDB_API_KEY=V4_TOKEN) as stage:
                await stage.download(Request(f"{stage.server.url}/p/poster.jpg"))
                assert V4_TOKEN.encode() not in script.requests[0]

        run(scenario())

    def test_one_that_is_not_there_is_an_error_at_once(self, make_crawler: MakeCrawler) -> None:
        async def scenario() -> None:
            with socket.socket() as closed:
                closed.bind(("127.0.0.1", 0))
                async with staged(Answers(RECORD), make_crawler) as stage:
                    for _ in range(2 * IN_A_ROW):
                        with pytest.raises(DownloadConnectionRefusedError):
                            await stage.download(Request(f"http://127.0.0.1:{closed.getsockname()[1]}/"))
                    assert not stage.pacing.breaker.is_open

        run(scenario())

    def test_one_that_resets_is_an_error_at_once(self, make_crawler: MakeCrawler) -> None:
        async def scenario() -> None:
            script = Answers(Answers.RESET)
            async with staged(script, make_crawler) as stage:
                with pytest.raises(DownloadFailedError):
                    await stage.download(Request(f"{stage.server.url}/p/poster.jpg"))
                assert len(script.requests) == 1

        run(scenario())

    def test_a_page_is_a_page(self, make_crawler: MakeCrawler) -> None:
        async def scenario() -> None:
            page = sized(b"<p>h\xe9llo</p>", b"Content-Type: text/html; charset=latin-1")
            async with staged(Answers(page), make_crawler) as stage:
                response = await stage.download(Request(f"{stage.server.url}/"))
                assert isinstance(response, HtmlResponse)
                assert response.css("p::text").get() == "héllo"

        run(scenario())

    @pytest.mark.parametrize("method", ["GET", "HEAD"])
    def test_no_body_needs_no_decoding(self, make_crawler: MakeCrawler, method: str) -> None:
        async def scenario() -> None:
            nothing = b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 0\r\n\r\n"
            async with staged(Answers(nothing), make_crawler) as stage:
                response = await stage.download(Request(f"{stage.server.url}/", method=method))
                assert (response.status, response.body) == (200, b"")

        run(scenario())


class TestMiddlewares:
    @pytest.mark.parametrize("compression", [False, True])
    def test_a_users_own_ones_do_not_change_what_the_api_is_asked(
        self, make_crawler: MakeCrawler, compression: bool
    ) -> None:
        """A user's DOWNLOADER_MIDDLEWARES replace ours, which switches some of Scrapy's on again."""

        async def scenario() -> None:
            answer = sized(gzip.compress(b'{"id": 7}'), b"Content-Encoding: gzip")
            asked = []
            for settings in ({}, {"DOWNLOADER_MIDDLEWARES": {}, "COMPRESSION_ENABLED": compression}):
                script = Answers(answer)
                async with staged(script, make_crawler, settings) as stage:
                    stage.crawler.spider = stage.crawler._create_spider()
                    middlewares = DownloaderMiddlewareManager.from_crawler(stage.crawler)
                    response = await middlewares.download_async(
                        stage.handler.download_request, stage.request()
                    )
                    assert isinstance(response, Response)
                    assert response.body == b'{"id": 7}'
                    lines = script.requests[0].splitlines()
                    asked.append({line for line in lines if not line.startswith(b"Host:")})
            assert asked[0] == asked[1]

        run(scenario())


def test_a_spider_that_is_not_ours_can_download_too(make_crawler: MakeCrawler) -> None:
    """That of `scrapy shell URL`, which nobody has configured."""

    async def scenario() -> None:
        script = Answers(RECORD)
        async with serving(script) as server:
            variables = {"TMDB_API_KEY": V3_KEY, "TMDB_API_URL": f"{server.url}/3"}
            stage = Stage(server, make_crawler(spider_class=Spider, **variables))
            assert (await stage.download()).body == b'{"id": 7}'
            assert f"api_key={V3_KEY}".encode() in script.requests[0]
            stage.pacing.close()
            await stage.handler.close()

    run(scenario())
