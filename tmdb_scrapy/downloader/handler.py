"""The download handler: one pooled HTTP client, the key added here and nowhere above, every request paced."""

from __future__ import annotations

import asyncio
import logging
import socket
import ssl
from collections.abc import Mapping
from typing import Any

from isal import isal_zlib
from scrapy import Request
from scrapy.core.downloader.handlers.base import BaseDownloadHandler
from scrapy.crawler import Crawler
from scrapy.exceptions import (
    CannotResolveHostError,
    DownloadConnectionRefusedError,
    DownloadFailedError,
    DownloadTimeoutError,
)
from scrapy.http import Headers, Response, TextResponse

from tmdb_scrapy.answers import Verdict, judge, message_in
from tmdb_scrapy.config import Config
from tmdb_scrapy.downloader.http import Answer, Connections, Unreachable
from tmdb_scrapy.extensions.pacing import Pacing

logger = logging.getLogger(__name__)

GZIP_WINDOW_BITS = 31
PROBE_TIMEOUT_S = 10.0


class TmdbDownloadHandler(BaseDownloadHandler):
    """Sends requests over kept connections, each in its turn.

    A 429, and a server that cannot be reached, say nothing of the ID: the request waits for another turn
    in here. Everything else goes up, as a response or as one of Scrapy's download errors.
    """

    lazy = True

    def __init__(self, crawler: Crawler) -> None:
        super().__init__(crawler)
        self._config: Config = crawler.settings["TMDB_CONFIG"]
        self._pacing: Pacing = crawler.get_extension(Pacing)  # type: ignore[assignment]
        self._pacing.probe_with(self.probe)
        self._largest_bytes = crawler.settings.getint("DOWNLOAD_MAXSIZE")
        self._timeout_s = crawler.settings.getfloat("DOWNLOAD_TIMEOUT")
        self._api = f"{self._config.tmdb_api_url}/"
        self._query_key = ""
        if self._config.tmdb_api_key.startswith("eyJ"):
            self._key_headers = {"Authorization": f"Bearer {self._config.tmdb_api_key!s}"}
        else:
            self._key_headers = {}
            self._query_key = f"api_key={self._config.tmdb_api_key!s}"
        self._headers = {
            "Accept": "application/json",
            "Accept-Encoding": "gzip",
            "User-Agent": crawler.settings["USER_AGENT"],
        }
        self._connections = Connections(ssl.create_default_context(), self._largest_bytes)

    async def download_request(self, request: Request) -> Response:
        """The response to `request`. Raises Scrapy's download errors, and `Stopping` when the worker ends.

        Sets ``request.meta["chargeable"]``: whether a failure may be held against the ID.
        """
        while True:
            await self._pacing.turn()
            answer = await self._attempt(request)
            if answer is not None:
                return _response(request, answer)

    async def _attempt(self, request: Request) -> Answer | None:
        """The answer to one request on the wire; None when it says nothing of the ID and must be repeated."""
        loop, pacing = asyncio.get_running_loop(), self._pacing
        sent_at, sent_in = loop.time(), pacing.breaker.generation
        pacing.in_flight += 1
        try:
            answer = await self._send(request)
        except (DownloadConnectionRefusedError, CannotResolveHostError) as error:
            # Nobody was there to judge the ID. A CDN that limits connections refuses so too.
            pacing.governor.throttled(sent_at, None)
            pacing.failed(sent_in, str(error))
            self._count("pacing/refused")
            return None
        except Exception as error:
            request.meta["chargeable"] = pacing.failed(sent_in, str(error))
            raise
        finally:
            pacing.in_flight -= 1
        self._count("downloader/response_count")
        self._count("downloader/response_bytes", len(answer.body))
        self._count(f"downloader/response_status_count/{answer.status}")
        pacing.answers += 1
        verdict = judge(answer.status, answer.body)
        if verdict is Verdict.THROTTLED:
            pacing.throttled += 1
            pacing.governor.throttled(sent_at, _retry_after_s(answer.headers))
            return None
        pacing.governor.answered(sent_at)
        if verdict is Verdict.UNAVAILABLE or verdict is Verdict.BROKEN:
            why = f"HTTP {answer.status} {message_in(answer.body)}".strip()
            request.meta["chargeable"] = pacing.failed(sent_in, why)
        else:
            pacing.breaker.succeeded()
        return answer

    def _count(self, what: str, by: int = 1) -> None:
        if self.crawler.stats:
            self.crawler.stats.inc_value(what, by)

    async def _send(self, request: Request) -> Answer:
        url, headers = self._with_key(request)
        timeout_s = request.meta.get("download_timeout", self._timeout_s)
        try:
            answer = await self._connections.ask(request.method, url, headers, request.body, timeout_s)
            if answer.headers.get("content-encoding") == "gzip":
                answer = Answer(answer.status, answer.headers, self._decompressed(answer.body))
        except TimeoutError:
            raise DownloadTimeoutError(f"{request.url} took longer than {timeout_s:g} s") from None
        except socket.gaierror as error:
            raise CannotResolveHostError(self._without_key(error)) from None
        except Unreachable as error:
            raise DownloadConnectionRefusedError(self._without_key(error)) from None
        except (ValueError, isal_zlib.IsalError, OSError) as error:  # type: ignore[misc]
            raise DownloadFailedError(f"{type(error).__name__}: {self._without_key(error)}") from None
        return answer

    def _with_key(self, request: Request) -> tuple[str, dict[str, str]]:
        """The URL and the headers as they go on the wire. Only the API gets the key."""
        url, headers = request.url, self._headers
        if request.headers:
            own = request.headers.to_unicode_dict()
            headers = {**headers, **{str(name): str(value) for name, value in own.items()}}
        if url.startswith(self._api):
            if self._query_key:
                url = f"{url}{'&' if '?' in url else '?'}{self._query_key}"
            else:
                headers = {**headers, **self._key_headers}
        return url, headers

    def _decompressed(self, body: bytes) -> bytes:
        decompressor = isal_zlib.decompressobj(GZIP_WINDOW_BITS)
        whole = decompressor.decompress(body, self._largest_bytes)
        if not decompressor.eof:
            raise ConnectionError("the gzip stream is cut off, or larger than DOWNLOAD_MAXSIZE")
        return whole

    def _without_key(self, error: BaseException) -> str:
        text = str(error)
        key = str(self._config.tmdb_api_key)
        return text.replace(key, "***") if key else text

    async def probe(self) -> bool:
        """Whether the API answers something that is known to be good."""
        # /authentication is cached nowhere, so it tells about TMDb itself and not about the CDN.
        request = Request(f"{self._config.tmdb_api_url}/authentication")
        try:
            async with asyncio.timeout(PROBE_TIMEOUT_S):
                answer = await self._send(request)
        except (
            TimeoutError,
            DownloadFailedError,
            DownloadTimeoutError,
            DownloadConnectionRefusedError,
            CannotResolveHostError,
        ):
            return False
        return judge(answer.status, answer.body) not in {Verdict.UNAVAILABLE, Verdict.BROKEN}

    async def close(self) -> None:
        self._connections.close()


class ApiResponse(TextResponse):
    """A response whose headers take Scrapy's form when somebody asks for them."""

    __slots__ = ("received_headers",)

    received_headers: Mapping[str, str]

    @property
    def headers(self) -> Headers:
        if self._headers is None:
            self._headers = Headers(getattr(self, "received_headers", None))
        return self._headers

    @headers.setter
    def headers(self, value: Any) -> None:
        self._headers = value if isinstance(value, Headers) else Headers(value)


def _response(request: Request, answer: Answer) -> Response:
    response = ApiResponse(
        url=request.url, status=answer.status, body=answer.body, request=request, encoding="utf-8"
    )
    response.received_headers = answer.headers
    return response


def _retry_after_s(headers: Any) -> float | None:
    """Seconds of a Retry-After header (RFC 9110, 10.2.3); None when there is none to understand."""
    text = headers.get("retry-after", "").strip()
    return float(text) if text.isdigit() else None
