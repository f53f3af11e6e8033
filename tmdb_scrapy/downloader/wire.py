"""A request as it goes on the wire, with the key if it is for the API, and its response without it."""

from __future__ import annotations

from collections.abc import Mapping

from isal import isal_zlib
from pyreqwest.client import ClientBuilder
from scrapy import Request
from scrapy.exceptions import (
    CannotResolveHostError,
    DownloadConnectionRefusedError,
    DownloadFailedError,
    DownloadTimeoutError,
)
from scrapy.settings import BaseSettings

from tmdb_scrapy.config import Config
from tmdb_scrapy.downloader.connections import Connections, HttpResponse
from tmdb_scrapy.downloader.direct import DirectConnections
from tmdb_scrapy.network import Dropped, HostNotFound, Proxies, ProxyRefused, Unreachable, Untrusted, prepared

GZIP_NAMES = frozenset({"gzip", "x-gzip"})
"""RFC 9110, 8.4.1.3; case does not count."""
GZIP_BEGINNING = b"\x1f\x8b"
GZIP_WINDOW_BITS = 31
BYTE_ORDER_MARK = b"\xef\xbb\xbf"
NO_LIMIT_BYTES = 1 << 60
"""What a DOWNLOAD_MAXSIZE of 0 stands for."""


class DroppedError(DownloadFailedError):
    """The server took the connection and ended it before the first byte of a response."""


class UntrustedError(DownloadFailedError):
    """The server's certificate is not one that this machine trusts."""


class ProxyRefusedError(DownloadFailedError):
    """The proxy does not let requests to this server through, or wants another password."""


class Wire:
    """Adds the key, decodes bodies, and turns the network's errors into Scrapy's."""

    def __init__(self, config: Config, settings: BaseSettings) -> None:
        self._largest_bytes = settings.getint("DOWNLOAD_MAXSIZE") or NO_LIMIT_BYTES
        self._timeout_s = settings.getfloat("DOWNLOAD_TIMEOUT")
        self._user_agent = str(settings["USER_AGENT"])
        self._proxies = Proxies.of(config)
        self.proxied = self._proxies.lead_to(config.tmdb_api_url)
        """Whether somebody else looks up and connects to the API."""
        self.api = f"{config.tmdb_api_url}/"
        """What the URLs of the API begin with."""
        self._key = str(config.tmdb_api_key)
        is_token = self._key.startswith("eyJ")
        self._query_key = f"api_key={self._key}" if self._key and not is_token else ""
        # Nobody's own headers replace these: Scrapy's middleware asks for encodings that are not read here.
        self._fixed_headers = {"Accept-Encoding": "gzip"}
        if is_token:
            self._fixed_headers["Authorization"] = f"Bearer {self._key}"
        self._api_headers = {"Accept": "application/json", **self._fixed_headers}
        self._connections: Connections | DirectConnections = (
            self._connecting(self._api_headers)
            if self.proxied
            else DirectConnections({"User-Agent": self._user_agent, **self._api_headers}, self._largest_bytes)
        )
        self._others = self._connecting({"Accept-Encoding": "gzip"})

    async def send(self, request: Request) -> HttpResponse:
        """The response to `request`. Raises Scrapy's download errors, `DroppedError` among them."""
        timeout_s = request.meta.get("download_timeout", self._timeout_s)
        try:
            if request.url.startswith(self.api):
                return await self._from_api(request, timeout_s)
            sent = (request.method, request.url, _own_headers(request), request.body, timeout_s)
            return self._decoded(await self._others.send(*sent))
        except TimeoutError:
            raise DownloadTimeoutError(f"{request.url} took longer than {timeout_s:g} s") from None
        except HostNotFound as error:
            raise CannotResolveHostError(self._without_key(str(error))) from None
        except Untrusted as error:
            raise UntrustedError(self._without_key(str(error))) from None
        except ProxyRefused as error:
            raise ProxyRefusedError(self._without_key(str(error))) from None
        except Unreachable as error:
            raise DownloadConnectionRefusedError(self._without_key(str(error))) from None
        except Dropped as error:
            raise DroppedError(self._without_key(str(error))) from None
        except (ValueError, isal_zlib.IsalError, OSError) as error:  # type: ignore[misc]
            text = self._without_key(str(error))
            raise DownloadFailedError(f"{type(error).__name__}: {text}") from None

    def masked(self, received: HttpResponse) -> HttpResponse:
        """`received` without the key, should the server echo it: an error's text gets into logs and Redis."""
        if not self._key:
            return received
        headers = {name: self._without_key(text) for name, text in received.headers.items()}
        return HttpResponse(received.status, headers, received.body.replace(self._key.encode(), b"***"))

    async def close(self) -> None:
        """End all connections."""
        await self._connections.close()
        await self._others.close()

    def _connecting(self, headers: Mapping[str, str]) -> Connections:
        def builder() -> ClientBuilder:
            return prepared(ClientBuilder(), self._proxies, self._user_agent).default_headers(headers)

        return Connections(builder, self._largest_bytes)

    async def _from_api(self, request: Request, timeout_s: float) -> HttpResponse:
        url = request.url
        if self._query_key:
            url = f"{url}{'&' if '?' in url else '?'}{self._query_key}"
        headers = {**_own_headers(request), **self._fixed_headers} if request.headers else {}
        received = self._decoded(
            await self._connections.send(request.method, url, headers, request.body, timeout_s)
        )
        if received.body.startswith(BYTE_ORDER_MARK):  # no part of the JSON text (RFC 8259, 8.1)
            return received._replace(body=received.body.removeprefix(BYTE_ORDER_MARK))
        return received

    def _decoded(self, received: HttpResponse) -> HttpResponse:
        headers, rest = received.headers, received.body
        if not rest or headers.get("content-encoding", "").strip().lower() not in GZIP_NAMES:
            return received
        # They were about the encoded body.
        del headers["content-encoding"]
        headers.pop("content-length", None)
        if not rest.startswith(GZIP_BEGINNING):  # a proxy decoded it and left the header
            return received
        body = b""
        while rest:  # a gzip file may have several members (RFC 1952, 2.2)
            decompressor = isal_zlib.decompressobj(GZIP_WINDOW_BITS)
            # One byte more than allowed, since 0 would mean no limit.
            body += decompressor.decompress(rest, self._largest_bytes - len(body) + 1)
            if not decompressor.eof or len(body) > self._largest_bytes:
                raise ConnectionError("the gzip stream is cut off, or larger than DOWNLOAD_MAXSIZE")
            rest = decompressor.unused_data
        return HttpResponse(received.status, headers, body)

    def _without_key(self, text: str) -> str:
        return text.replace(self._key, "***") if self._key else text


def _own_headers(request: Request) -> dict[str, str]:
    return {str(name): str(value) for name, value in request.headers.to_unicode_dict().items()}
