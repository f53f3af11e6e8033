"""The download handler: one pooled HTTP client, the key added here and nowhere above, every request paced."""

from __future__ import annotations

import asyncio
import logging
from typing import Any, NamedTuple

import aiohttp
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
from yarl import URL

from tmdb_scrapy.answers import Verdict, judge, message_in
from tmdb_scrapy.config import Config
from tmdb_scrapy.extensions.pacing import Pacing

logger = logging.getLogger(__name__)

GZIP_WINDOW_BITS = 31
PROBE_TIMEOUT_S = 10.0
IDLE_CONNECTION_S = 30.0
DNS_CACHE_S = 300


class _Answer(NamedTuple):
    status: int
    headers: dict[str, str]
    body: bytes


class TmdbDownloadHandler(BaseDownloadHandler):
    """Sends requests over one `aiohttp.ClientSession`, each in its turn.

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
        self._timeout = aiohttp.ClientTimeout(total=self._timeout_s)
        self._api = f"{self._config.tmdb_api_url}/"
        self._headers = {
            "Accept": "application/json",
            "Accept-Encoding": "gzip",
            "User-Agent": crawler.settings["USER_AGENT"],
        }
        self._query_key = ""
        if self._config.tmdb_api_key.startswith("eyJ"):
            self._headers_with_key = {
                **self._headers,
                "Authorization": f"Bearer {self._config.tmdb_api_key!s}",
            }
        else:
            self._headers_with_key = self._headers
            self._query_key = f"api_key={self._config.tmdb_api_key!s}"
        self._session = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(
                limit=0,
                keepalive_timeout=IDLE_CONNECTION_S,
                ttl_dns_cache=DNS_CACHE_S,
                ssl=True,  # aiohttp's own context: certificates verified
            ),
            timeout=self._timeout,
            cookie_jar=aiohttp.DummyCookieJar(),
            auto_decompress=False,
        )

    async def download_request(self, request: Request) -> Response:
        """The response to `request`. Raises Scrapy's download errors, and `Stopping` when the worker ends.

        Sets ``request.meta["chargeable"]``: whether a failure may be held against the ID.
        """
        loop = asyncio.get_running_loop()
        pacing = self._pacing
        while True:
            await pacing.turn()
            sent_at, sent_in = loop.time(), pacing.breaker.generation
            pacing.in_flight += 1
            try:
                answer = await self._send(request)
            except (DownloadConnectionRefusedError, CannotResolveHostError) as error:
                # Nobody was there to judge the ID: ask again. A CDN that limits connections refuses so too.
                pacing.governor.throttled(sent_at, None)
                pacing.failed(sent_in, str(error))
                self._count("refused")
                continue
            except Exception as error:
                request.meta["chargeable"] = pacing.failed(sent_in, str(error))
                raise
            finally:
                pacing.in_flight -= 1
            pacing.answers += 1
            verdict = judge(answer.status, answer.body)
            if verdict is Verdict.THROTTLED:
                pacing.throttled += 1
                pacing.governor.throttled(sent_at, _retry_after_s(answer.headers))
                self._count("429")
                continue
            pacing.governor.answered(sent_at)
            if verdict is Verdict.UNAVAILABLE or verdict is Verdict.BROKEN:
                why = f"HTTP {answer.status} {message_in(answer.body)}".strip()
                request.meta["chargeable"] = pacing.failed(sent_in, why)
            else:
                pacing.breaker.succeeded()
            return _response(request, answer)

    def _count(self, what: str) -> None:
        if self.crawler.stats:
            self.crawler.stats.inc_value(f"pacing/{what}")

    async def _send(self, request: Request) -> _Answer:
        url, headers = self._with_key(request)
        timeout_s = request.meta.get("download_timeout", self._timeout_s)
        timeout = self._timeout if timeout_s == self._timeout_s else aiohttp.ClientTimeout(total=timeout_s)
        try:
            async with self._session.request(
                request.method,
                url,
                data=request.body or None,
                headers=headers,
                allow_redirects=False,
                timeout=timeout,
            ) as response:
                body = await response.read()
                if response.headers.get("Content-Encoding") == "gzip":
                    body = self._decompressed(body)
                return _Answer(response.status, response.headers, body)  # type: ignore[arg-type]
        except TimeoutError:
            raise DownloadTimeoutError(f"{request.url} took longer than {timeout_s:g} s") from None
        except aiohttp.ClientConnectorDNSError as error:
            raise CannotResolveHostError(self._without_key(error)) from None
        except aiohttp.ClientConnectorCertificateError as error:
            raise DownloadFailedError(self._without_key(error)) from None
        except aiohttp.ClientConnectorError as error:
            raise DownloadConnectionRefusedError(self._without_key(error)) from None
        except (aiohttp.ClientError, isal_zlib.IsalError, OSError) as error:  # type: ignore[misc]
            # `from None`: aiohttp's errors carry the real URL, and that has the key.
            raise DownloadFailedError(f"{type(error).__name__}: {self._without_key(error)}") from None

    def _with_key(self, request: Request) -> tuple[URL, dict[str, str]]:
        """The URL and headers as they go on the wire. Only the API gets the key."""
        url, headers = request.url, self._headers
        if url.startswith(self._api):
            headers = self._headers_with_key
            if self._query_key:
                url = f"{url}{'&' if '?' in url else '?'}{self._query_key}"
        if request.headers:
            own = request.headers.to_unicode_dict()
            headers = headers | {str(name): str(value) for name, value in own.items()}
        return URL(url, encoded=True), headers

    def _decompressed(self, body: bytes) -> bytes:
        decompressor = isal_zlib.decompressobj(GZIP_WINDOW_BITS)
        whole = decompressor.decompress(body, self._largest_bytes)
        if not decompressor.eof:
            raise aiohttp.ClientPayloadError("the gzip stream is cut off, or larger than DOWNLOAD_MAXSIZE")
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
        await self._session.close()


def _response(request: Request, answer: _Answer) -> Response:
    headers = Headers({"Content-Type": answer.headers.get("Content-Type", "")})
    return TextResponse(
        url=request.url,
        status=answer.status,
        headers=headers,
        body=answer.body,
        request=request,
        encoding="utf-8",
    )


def _retry_after_s(headers: Any) -> float | None:
    """Seconds of a Retry-After header (RFC 9110, 10.2.3); None when there is none to understand."""
    text = headers.get("Retry-After", "").strip()
    return float(text) if text.isdigit() else None
