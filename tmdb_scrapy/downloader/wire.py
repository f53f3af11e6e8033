"""A request as it goes on the wire, with the key if it is for the API, and its answer without it."""

from __future__ import annotations

import asyncio
import socket
import ssl
import sys

from isal import isal_zlib
from scrapy import Request
from scrapy.exceptions import (
    CannotResolveHostError,
    DownloadConnectionRefusedError,
    DownloadFailedError,
    DownloadTimeoutError,
)
from scrapy.settings import BaseSettings

from tmdb_scrapy.config import Config
from tmdb_scrapy.downloader.http import Connections, Dropped, HttpResponse, Unreachable
from tmdb_scrapy.downloader.verdict import Verdict, judge

GZIP_WINDOW_BITS = 31
PROBE_TIMEOUT_S = 10.0


class DroppedError(DownloadFailedError):
    """The server took the connection and ended it before the first byte of an answer."""


class Wire:
    """Adds the key, decodes bodies, and turns the errors of `http` into Scrapy's."""

    def __init__(self, config: Config, settings: BaseSettings) -> None:
        self._largest_bytes = settings.getint("DOWNLOAD_MAXSIZE") or sys.maxsize  # 0: no limit
        self._timeout_s = settings.getfloat("DOWNLOAD_TIMEOUT")
        self._api_url = config.tmdb_api_url
        self.api = f"{self._api_url}/"
        """What the URLs of the API begin with."""
        self._key = str(config.tmdb_api_key)
        is_token = self._key.startswith("eyJ")
        self._query_key = f"api_key={self._key}" if self._key and not is_token else ""
        self._headers = {"Accept-Encoding": "gzip", "User-Agent": str(settings["USER_AGENT"])}
        # Nobody's own headers replace these: Scrapy's middleware asks for encodings that are not read here.
        self._fixed_headers = {"Accept-Encoding": "gzip"}
        if is_token:
            self._fixed_headers["Authorization"] = f"Bearer {self._key}"
        self._api_headers = {"Accept": "application/json", **self._headers, **self._fixed_headers}
        self._connections = Connections(ssl.create_default_context(), self._largest_bytes)

    async def send(self, request: Request) -> HttpResponse:
        """The answer to `request`. Raises Scrapy's download errors, `DroppedError` among them."""
        url, headers = self._as_sent(request)
        timeout_s = request.meta.get("download_timeout", self._timeout_s)
        try:
            answer = await self._connections.ask(request.method, url, headers, request.body, timeout_s)
            if answer.body and answer.headers.get("content-encoding") == "gzip":
                answer = self._decoded(answer)
        except TimeoutError:
            raise DownloadTimeoutError(f"{request.url} took longer than {timeout_s:g} s") from None
        except socket.gaierror as error:
            raise CannotResolveHostError(self._without_key(str(error))) from None
        except Unreachable as error:
            raise DownloadConnectionRefusedError(self._without_key(str(error))) from None
        except Dropped as error:
            raise DroppedError(self._without_key(str(error))) from None
        except (ValueError, isal_zlib.IsalError, OSError) as error:  # type: ignore[misc]
            text = self._without_key(str(error))
            raise DownloadFailedError(f"{type(error).__name__}: {text}") from None
        return answer

    def masked(self, answer: HttpResponse) -> HttpResponse:
        """`answer` without the key, should the server echo it: an error's text gets into logs and Redis."""
        if not self._key:
            return answer
        headers = {name: self._without_key(text) for name, text in answer.headers.items()}
        return HttpResponse(answer.status, headers, answer.body.replace(self._key.encode(), b"***"))

    async def probe(self) -> bool:
        """Whether the API answers something that is known to be good."""
        # /authentication is cached nowhere, so it tells about TMDb itself and not about the CDN.
        request = Request(f"{self._api_url}/authentication")
        try:
            async with asyncio.timeout(PROBE_TIMEOUT_S):
                answer = await self.send(request)
        except (
            TimeoutError,
            DownloadFailedError,
            DownloadTimeoutError,
            DownloadConnectionRefusedError,
            CannotResolveHostError,
        ):
            return False
        return judge(answer.status, answer.body) not in {Verdict.UNAVAILABLE, Verdict.BROKEN}

    def close(self) -> None:
        """End all connections."""
        self._connections.close()

    def _as_sent(self, request: Request) -> tuple[str, dict[str, str]]:
        """The URL and the headers as they go on the wire. Only the API gets the key."""
        url = request.url
        if not url.startswith(self.api):
            return url, {**self._headers, **_own_headers(request)}
        headers = self._api_headers
        if request.headers:
            headers = {**headers, **_own_headers(request), **self._fixed_headers}
        if self._query_key:
            url = f"{url}{'&' if '?' in url else '?'}{self._query_key}"
        return url, headers

    def _decoded(self, answer: HttpResponse) -> HttpResponse:
        decompressor = isal_zlib.decompressobj(GZIP_WINDOW_BITS)
        body = decompressor.decompress(answer.body, self._largest_bytes)
        if not decompressor.eof:
            raise ConnectionError("the gzip stream is cut off, or larger than DOWNLOAD_MAXSIZE")
        # They were about the encoded body.
        del answer.headers["content-encoding"]
        answer.headers.pop("content-length", None)
        return HttpResponse(answer.status, answer.headers, body)

    def _without_key(self, text: str) -> str:
        return text.replace(self._key, "***") if self._key else text


def _own_headers(request: Request) -> dict[str, str]:
    return {str(name): str(value) for name, value in request.headers.to_unicode_dict().items()}
