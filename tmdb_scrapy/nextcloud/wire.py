"""HTTP to one Nextcloud server: one request, one answer, secrets kept out of every error."""

from __future__ import annotations

import asyncio
import dataclasses
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping
from contextlib import contextmanager
from types import TracebackType
from typing import Self

import aiohttp
from yarl import URL

from tmdb_scrapy.nextcloud.answers import Answer, UploadError, explain
from tmdb_scrapy.nextcloud.link import ShareLink
from tmdb_scrapy.nextcloud.local_file import BLOCK_BYTES, LocalFile

QUESTION_S = 60.0
"""How long a server may think about a request that neither brings nor assembles a file."""
STALL_S = 120.0
"""How long not a single block of a file may pass before the connection counts as broken."""
ANSWER_S = 900.0
"""How long a server may think once it has all of a file: it may copy gigabytes to its object store."""
_READ_AT_MOST_BYTES = 1 << 20

Progress = Callable[[int], None]
"""Called with the number of bytes of the file sent so far; goes back when something is sent again."""

Take = Callable[[bytes], bool]
"""Called with each block of an answer's body; says whether it wants more."""


class BrokenConnectionError(UploadError):
    """The connection failed before an answer came; nobody knows what the server has done."""


class RefusedError(UploadError):
    """The server answered, and the answer will not change by asking again."""

    def __init__(self, message: str, status: int) -> None:
        self.status = status
        super().__init__(message)


@dataclasses.dataclass(frozen=True, slots=True)
class Patience:
    """How often, and after which pauses, a request that is safe to repeat is repeated."""

    attempts: int = 5
    first_pause_s: float = 1.0

    def pauses_s(self) -> list[float]:
        """Doubling; one fewer than the attempts."""
        return [self.first_pause_s * 2**n for n in range(self.attempts - 1)]


@dataclasses.dataclass(slots=True)
class Body:
    """A range of a file as the body of a request."""

    file: LocalFile
    progress: Progress
    offset: int = 0
    length: int = -1
    may_have_arrived: bool = False
    """True once the first byte was handed to the network."""
    failure: UploadError | None = None
    """Why the file could not be read; aiohttp would report a broken connection instead."""

    def __post_init__(self) -> None:
        if self.length < 0:
            self.length = self.file.size - self.offset

    async def stream(self, limit: asyncio.Timeout) -> AsyncIterator[bytes]:
        """The bytes; moves `limit` on as long as the server takes them."""
        now = asyncio.get_running_loop().time
        sent = self.offset
        self.may_have_arrived = True
        self.progress(sent)
        try:
            for block in self.file.blocks(self.offset, self.length):
                limit.reschedule(now() + STALL_S)
                yield block
                sent += len(block)
                self.progress(sent)
        except UploadError as error:
            self.failure = error
            raise
        limit.reschedule(now() + ANSWER_S)


class Wire:
    """A session with the server of `link`. Use it as an asynchronous context manager."""

    def __init__(self, link: ShareLink, password: str, patience: Patience) -> None:
        self.link = link
        self.password = password
        self.patience = patience

    async def __aenter__(self) -> Self:
        # Nextcloud refuses a session cookie that comes without its companions: send none at all.
        self._session = aiohttp.ClientSession(
            # A pooled connection that the server has just closed looks like an upload that broke half-way.
            connector=aiohttp.TCPConnector(force_close=True),
            cookie_jar=aiohttp.DummyCookieJar(),
            timeout=aiohttp.ClientTimeout(total=None, sock_connect=30),
            # Without it, many servers answer 401 to whoever writes to a public share.
            headers={
                "X-Requested-With": "XMLHttpRequest",
                "User-Agent": "tmdb-scrapy",
                # Some refusals can be told apart by Nextcloud's words only, and it translates them.
                "Accept-Language": "en",
            },
        )
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._session.close()

    async def request(
        self,
        method: str,
        url: str,
        headers: Mapping[str, str],
        body: Body | str | None = None,
        take: Take | None = None,
    ) -> Answer:
        """One request, never repeated, no redirect followed. With `take`, it gets the body of a 200.

        Raises `BrokenConnectionError` when no answer came, another `UploadError` when trying again is
        pointless.
        """
        answer_s = ANSWER_S if method == "MOVE" else QUESTION_S
        with self._failures_explained(body):
            async with asyncio.timeout(answer_s) as limit:
                data, headers = _payload(body, headers, limit)
                async with self._session.request(
                    method, URL(url, encoded=True), headers=headers, data=data, allow_redirects=False
                ) as response:
                    if take and response.status == 200:
                        await _pour(response, take, limit)
                        return Answer(response.status, response.headers, "")
                    return Answer(response.status, response.headers, await _text(response))

    @contextmanager
    def _failures_explained(self, body: Body | str | None) -> Iterator[None]:
        """Translates what the HTTP client raises. `body` is what the request sends."""
        try:
            yield
        except aiohttp.ClientConnectorCertificateError as error:
            raise UploadError(
                f"{self.link.host}: its TLS certificate is not trusted ({error.certificate_error}). "
                "If it is your own authority's, name that in SSL_CERT_FILE"
            ) from None
        except aiohttp.ClientConnectorDNSError:
            raise UploadError(f"{self.link.host}: no such host. Check NEXTCLOUD_UPLOAD") from None
        except (aiohttp.ClientError, OSError) as error:
            if isinstance(body, Body) and body.failure:
                raise body.failure from None
            # A time limit of ours has no words of its own.
            reason = self.without_secrets(str(error)) or (
                "the server fell silent" if isinstance(error, TimeoutError) else type(error).__name__
            )
            raise BrokenConnectionError(
                f"{self.link.host}: the connection broke ({reason}). Try again later"
            ) from None

    async def repeat(self, attempt: Callable[[], Awaitable[Answer]]) -> Answer:
        """Make a request that is safe to repeat until it gets an answer that is not transient."""
        for pause_s in self.patience.pauses_s():
            try:
                answer = await attempt()
            except BrokenConnectionError:
                pass
            else:
                if not answer.is_transient:
                    return answer
            await asyncio.sleep(pause_s)
        return await attempt()

    async def discard(self, url: str, headers: Mapping[str, str]) -> None:
        """Delete what this program put there, if the share allows it and the server can be reached."""
        try:
            await self.request("DELETE", url, headers)
        except UploadError:
            return

    def refusal(self, answer: Answer, doing: str) -> RefusedError:
        """The error for an answer that ends the upload; `doing` says what was asked for."""
        reason = self.without_secrets(explain(answer, bool(self.password)))
        return RefusedError(f"{self.link.host}: {doing} failed with {reason}", answer.status)

    def without_secrets(self, text: str) -> str:
        """`text` with the share's token and password replaced: servers like to quote paths."""
        for secret in filter(None, (self.link.token, str(self.password))):
            text = text.replace(secret, "***")
        return text


def _payload(
    body: Body | str | None, headers: Mapping[str, str], limit: asyncio.Timeout
) -> tuple[AsyncIterator[bytes] | bytes | None, Mapping[str, str]]:
    if isinstance(body, Body):
        # A known length avoids chunked transfer coding, which PHP behind some web servers stores as 0 bytes.
        return body.stream(limit), {**headers, "Content-Length": str(body.length)}
    if body is None:
        return None, headers
    return body.encode(), {**headers, "Content-Type": "application/xml; charset=utf-8"}


async def _pour(response: aiohttp.ClientResponse, take: Take, limit: asyncio.Timeout) -> None:
    async for block in response.content.iter_chunked(BLOCK_BYTES):
        limit.reschedule(asyncio.get_running_loop().time() + STALL_S)
        if not take(block):
            return


async def _text(response: aiohttp.ClientResponse) -> str:
    read = bytearray()
    async for block in response.content.iter_chunked(1 << 16):
        read += block
        if len(read) > _READ_AT_MOST_BYTES:
            break
    return read.decode("utf-8", "replace")
