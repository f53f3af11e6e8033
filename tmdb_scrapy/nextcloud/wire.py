"""HTTP with one Nextcloud server: a request and its response, and no secret in any error."""

from __future__ import annotations

import asyncio
import dataclasses
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from datetime import timedelta
from types import TracebackType
from typing import Self

from pyreqwest.client import Client, ClientBuilder
from pyreqwest.exceptions import ConnectTimeoutError, PyreqwestError
from pyreqwest.http import HeaderMap
from pyreqwest.request import RequestBuilder
from pyreqwest.response import Response

from tmdb_scrapy.network import (
    HostNotFound,
    Proxies,
    ProxyRefused,
    Unreachable,
    Untrusted,
    prepared,
    translated,
)
from tmdb_scrapy.nextcloud.link import ShareLink
from tmdb_scrapy.nextcloud.responses import DavResponse

CONNECT_S = 30.0
"""How long it may take to be connected, TLS included."""
RESPONSE_S = 60.0
"""How long a server may think about a request that neither brings nor assembles a file."""
STALL_S = 120.0
"""How long not a single block of a file may pass before the connection counts as broken."""
STORE_S = 900.0
"""How long a server may think once it has all of a file: it may copy gigabytes to its object store."""
PAUSES_S = (1.0, 2.0, 4.0, 8.0)
"""Between the attempts at a request that is safe to repeat; there is one attempt more than pauses."""
_READ_AT_MOST_BYTES = 1 << 20

OnBlock = Callable[[bytes], bool]
"""Is given each block of a response's body; returns whether it wants more."""


class UploadError(Exception):
    """An upload failed; the message says what, where and what to do next, and holds no secret."""


class BrokenConnectionError(UploadError):
    """The connection failed before a response came; nobody knows what the server has done."""


class NoConnectionError(BrokenConnectionError):
    """There was no connection to hand the first byte to: the server has done nothing."""


class RefusedError(UploadError):
    """The server responded, and would not respond otherwise if it was asked again."""

    def __init__(self, message: str, status: int) -> None:
        self.status = status
        super().__init__(message)


@dataclasses.dataclass(slots=True)
class Body:
    """What a request sends: `length` bytes, in blocks."""

    blocks: Iterable[bytes]
    length: int
    given_up: bool = False
    """Whether nobody waits for the response any more. The client would go on sending after a time limit or
    Ctrl-C, even when it is closed; it breaks the connection when there is no next block for it."""

    async def stream(self, limit: asyncio.Timeout) -> AsyncIterator[bytes]:
        """The blocks; moves `limit` on as long as the server takes them."""
        sent = 0
        for block in self.blocks:
            if self.given_up:
                raise ConnectionAbortedError
            sent += len(block)
            # The client takes no more than it announced: it never comes back after the last block.
            _move_on(limit, STALL_S if sent < self.length else STORE_S)
            yield block


class DavClient:
    """Requests to the server of `link`. Use it as an asynchronous context manager."""

    def __init__(
        self, link: ShareLink, password: str, proxies: Proxies, pauses_s: Sequence[float] = PAUSES_S
    ) -> None:
        self._proxies = proxies
        self.link = link
        self.password = password
        self.pauses_s = pauses_s

    async def __aenter__(self) -> Self:
        with self._failures_explained():
            self._client = _client(self._proxies)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._client.close()

    async def request(
        self,
        method: str,
        url: str,
        headers: Mapping[str, str],
        body: Body | str | None = None,
        on_block: OnBlock | None = None,
    ) -> DavResponse:
        """One request, never repeated, no redirect followed. `on_block` is given the body of a 200.

        Raises `BrokenConnectionError` when no response came, another `UploadError` when trying again is
        pointless.
        """
        limit_s = STORE_S if method == "MOVE" else RESPONSE_S
        with self._failures_explained(), _given_up_at_the_end(body):
            async with asyncio.timeout(limit_s) as limit:
                builder = _with_body(self._client.request(method, url).headers(headers), body, limit)
                async with builder.build_streamed() as response:
                    told = _readable(response.headers)
                    if on_block and response.status == 200:
                        await _pour(response, on_block, limit)
                        return DavResponse(response.status, told, "")
                    return DavResponse(response.status, told, await _text(response))

    @contextmanager
    def _failures_explained(self) -> Iterator[None]:
        """Translates what the HTTP client raises, which quotes the URL and so the token."""
        try:
            yield
        except ConnectTimeoutError:
            raise self._no_connection(f"no response within {CONNECT_S:.0f} s") from None
        except (PyreqwestError, ValueError) as error:
            raise self._explained(translated(error)) from None
        except TimeoutError:
            raise self._broken("the server fell silent") from None

    def _explained(self, error: Exception) -> UploadError:
        reason = self.without_secrets(str(error))
        match error:
            case ValueError():
                return UploadError(f"{self.link.host}: no request can be made of it. Check NEXTCLOUD_UPLOAD")
            case Untrusted():
                return UploadError(
                    f"{self.link.host}: its TLS certificate is not trusted ({reason}). "
                    "If it is your own authority's, name that in SSL_CERT_FILE"
                )
            case HostNotFound():
                where = self._suspects()
                return UploadError(f"{self.link.host}: no such host. Check NEXTCLOUD_UPLOAD{where}")
            case ProxyRefused() if "authorization" in reason:
                return self.refusal(DavResponse(407, {}, ""), "connecting")
            case Unreachable() | ProxyRefused():
                return self._no_connection(reason)
        return self._broken(reason)

    def _no_connection(self, reason: str) -> NoConnectionError:
        return NoConnectionError(
            f"{self.link.host}: no connection could be made ({reason}). Try again later{self._suspects()}"
        )

    def _suspects(self) -> str:
        return ", and look at HTTPS_PROXY, HTTP_PROXY and ALL_PROXY" if self._proxies.builders() else ""

    def _broken(self, reason: str) -> BrokenConnectionError:
        return BrokenConnectionError(f"{self.link.host}: the connection broke ({reason}). Try again later")

    async def retry(self, attempt: Callable[[], Awaitable[DavResponse]]) -> DavResponse:
        """Make a request that is safe to repeat until its response is not transient."""
        for pause_s in self.pauses_s:
            try:
                response = await attempt()
            except BrokenConnectionError:
                pass
            else:
                if not response.is_transient:
                    return response
            await asyncio.sleep(pause_s)
        return await attempt()

    async def discard(self, url: str, headers: Mapping[str, str]) -> None:
        """Delete what this program put there, if the share allows it and the server can be reached."""
        with suppress(UploadError):
            await self.request("DELETE", url, headers)

    def refusal(self, response: DavResponse, doing: str) -> RefusedError:
        """The error for a response that ends the upload; `doing` says what was asked for."""
        reason = self.without_secrets(response.explain(bool(self.password)))
        return RefusedError(f"{self.link.host}: {doing} failed with {reason}", response.status)

    def without_secrets(self, text: str) -> str:
        """`text` with the share's token and password replaced: servers like to quote paths."""
        for secret in filter(None, (self.link.token, str(self.password))):
            text = text.replace(secret, "***")
        return text


def _client(proxies: Proxies) -> Client:
    return (
        prepared(ClientBuilder(), proxies)
        .connect_timeout(timedelta(seconds=CONNECT_S))
        # A pooled connection that the server has just closed looks like an upload that broke half-way.
        .pool_max_idle_per_host(0)
        .default_headers(
            {
                # Without it, many servers respond with 401 to whoever writes to a public share.
                "X-Requested-With": "XMLHttpRequest",
                # Some refusals can be told apart by Nextcloud's words only, and it translates them.
                "Accept-Language": "en",
            }
        )
        .build()
    )


@contextmanager
def _given_up_at_the_end(body: Body | str | None) -> Iterator[None]:
    try:
        yield
    finally:
        if isinstance(body, Body):
            body.given_up = True


def _with_body(builder: RequestBuilder, body: Body | str | None, limit: asyncio.Timeout) -> RequestBuilder:
    if isinstance(body, Body):
        # A known length avoids chunked transfer coding, which PHP behind some web servers stores as 0 bytes.
        return builder.header("Content-Length", str(body.length)).body_stream(body.stream(limit))
    if body is None:
        return builder
    return builder.header("Content-Type", "application/xml; charset=utf-8").body_text(body)


def _move_on(limit: asyncio.Timeout, seconds: float) -> None:
    # A server may respond before it has taken the last block: then the limit is over, and that is fine.
    with suppress(RuntimeError):
        limit.reschedule(asyncio.get_running_loop().time() + seconds)


def _readable(headers: HeaderMap) -> HeaderMap:
    """Those that are ASCII: asking for another, such as one with a file's name, would be an error."""
    readable = HeaderMap()
    for name in headers:
        with suppress(ValueError):
            readable[name] = headers[name]
    return readable


async def _pour(response: Response, on_block: OnBlock, limit: asyncio.Timeout) -> None:
    while (block := await response.body_reader.read_chunk()) is not None:
        _move_on(limit, STALL_S)
        if not on_block(bytes(block)):
            return


async def _text(response: Response) -> str:
    read = bytearray()
    while len(read) <= _READ_AT_MOST_BYTES and (block := await response.body_reader.read_chunk()) is not None:
        read += block
    return read.decode("utf-8", "replace")
