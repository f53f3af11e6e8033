"""A file on its way to a share: in one request, or in chunks where a proxy finds that too large.

Chunks are version 2 of Nextcloud's protocol: a folder is made under `/uploads/TOKEN/`, the chunks are put
into it as 00001, 00002, …, and moving the folder's `.file` to its destination assembles them. Public shares
have it since 2025. https://docs.nextcloud.com/server/stable/developer_manual/client_apis/WebDAV/chunking.html
"""

from __future__ import annotations

import asyncio
import dataclasses
import hashlib
import os
import uuid
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from pathlib import Path
from types import TracebackType
from typing import Self

from tmdb_scrapy.nextcloud.responses import DavResponse
from tmdb_scrapy.nextcloud.share import Endpoint, Share
from tmdb_scrapy.nextcloud.wire import Body, RefusedError, UploadError

BLOCK_BYTES = 1 << 18
"""Read and sent at a time; an upload needs a few of them in memory, whatever the size of the file."""
CHUNK_BYTES = 10 << 20
"""What Nextcloud's own web page sends; the protocol wants 5 MB to 5 GB, and at most 10,000 chunks."""
_CHUNKS_AT_MOST = 10_000
_NO_CHUNKED_UPLOAD = {400, 403, 404, 405, 409, 501}
"""What servers without the upload folder respond with to its MKCOL."""
_HASH_HEADER = "X-Hash-SHA256"

OnSent = Callable[[int], None]
"""Is told how many bytes of the file are sent; the number goes back when some are sent again."""


class LocalFile:
    """A file open for reading. What is appended after opening is not part of it."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._descriptor = os.open(path, os.O_RDONLY)
        self.size = os.fstat(self._descriptor).st_size
        self._sha256: str | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        os.close(self._descriptor)

    def sha256(self) -> str:
        """The checksum in lower-case hexadecimal digits, computed once (a second a gigabyte or so)."""
        if self._sha256 is None:
            digest = hashlib.sha256()
            for block in self.blocks(0, self.size):
                digest.update(block)
            self._sha256 = digest.hexdigest()
        return self._sha256

    def read(self, offset: int, length: int) -> bytes:
        """At most `length` bytes from `offset` on; fewer at the end of the file."""
        return os.pread(self._descriptor, length, offset)

    def blocks(self, offset: int, length: int) -> Iterator[bytes]:
        """The bytes from `offset` on. Raises `UploadError` when the file became shorter meanwhile."""
        end = offset + length
        while offset < end:
            block = self.read(offset, min(BLOCK_BYTES, end - offset))
            if not block:
                raise UploadError(
                    f"{self.path} became shorter while it was uploaded: try again when it is at rest"
                )
            offset += len(block)
            yield block


@dataclasses.dataclass(frozen=True, slots=True)
class Precondition:
    """What must be under a name, or the server responds with 412 and stores nothing.

    As the headers that the two ways of storing a file understand.
    """

    of_put: Mapping[str, str]
    of_move: Mapping[str, str]
    """A MOVE assembles chunks: If-Match would be about them, not about the file that they become."""


ANYTHING = Precondition({}, {"Overwrite": "T"})
NOTHING = Precondition({"If-None-Match": "*"}, {"Overwrite": "F"})


def unchanged(url: str, etag: str) -> Precondition:
    """The file at `url` still has that ETag."""
    return Precondition({"If-Match": etag}, {"Overwrite": "T", "If": f"<{url}> ([{etag}])"})


async def send(
    share: Share, endpoint: Endpoint, file: LocalFile, name: str, only_if: Precondition, on_sent: OnSent
) -> DavResponse:
    """The server's last word on one attempt; 412 when what is under `name` does not meet `only_if`.

    Raises `BrokenConnectionError` without a response, `RefusedError` when there is no way to send the file.
    """
    checksum = {"OC-Checksum": f"SHA256:{file.sha256()}"}
    # X-Hash asks Nextcloud for the checksum of what it received, on upload-only shares too.
    headers = {**endpoint.headers, **checksum, **only_if.of_put, "X-Hash": "sha256"}
    body = _body(file, 0, file.size, on_sent)
    response = await share.client.request("PUT", endpoint.url_of(name), headers, body)
    if response.status != 413:
        return response
    return await _send_chunks(share, endpoint, file, name, {**checksum, **only_if.of_move}, on_sent)


def server_hash_agrees(response: DavResponse, file: LocalFile) -> bool | None:
    """Whether the server received the bytes of `file`; None when it does not say."""
    told = response.headers.get(_HASH_HEADER)
    return None if told is None else told.lower() == file.sha256()


def _body(file: LocalFile, offset: int, length: int, on_sent: OnSent) -> Body:
    def blocks() -> Iterator[bytes]:
        sent = offset
        on_sent(sent)
        for block in file.blocks(offset, length):
            sent += len(block)
            on_sent(sent)
            yield block

    return Body(blocks(), length)


async def _send_chunks(
    share: Share,
    endpoint: Endpoint,
    file: LocalFile,
    name: str,
    headers: Mapping[str, str],
    on_sent: OnSent,
) -> DavResponse:
    """Send `file` chunk by chunk; the response is that to the last step, which makes the file appear.

    Everything before that step is repeated where it failed, since it shows nothing under `name`. Raises
    `RefusedError` when the server has no chunked upload or refuses a chunk, and `BrokenConnectionError` in
    the last step, when the server may or may not have assembled the file.
    """
    common = {
        **endpoint.headers,
        "Destination": endpoint.url_of(name),
        "OC-Total-Length": str(file.size),
    }
    folder_url = await _make_folder(share, endpoint, common)
    try:
        await _put_chunks(share, folder_url, file, common, on_sent)
    except (UploadError, OSError, asyncio.CancelledError):
        await share.client.discard(folder_url, endpoint.headers)
        raise
    # From here on the folder is the server's: it may go on assembling after a proxy has given up waiting.
    return await share.client.request("MOVE", f"{folder_url}/.file", {**common, **headers})


async def _make_folder(share: Share, endpoint: Endpoint, headers: Mapping[str, str]) -> str:
    if endpoint.chunks_url is None:
        raise _too_large(share, "its legacy endpoint")
    folder_url = ""

    async def attempt() -> DavResponse:
        nonlocal folder_url
        # A new name each time: an attempt that broke may have made its folder.
        folder_url = f"{endpoint.chunks_url}/tmdb-{uuid.uuid4().hex}"
        return await share.client.request("MKCOL", folder_url, headers)

    response = await share.client.retry(attempt)
    if response.status in _NO_CHUNKED_UPLOAD:
        raise _too_large(share, f"HTTP {response.status}")
    if not response.succeeded:
        raise share.client.refusal(response, "starting a chunked upload")
    return folder_url


def _too_large(share: Share, reason: str) -> RefusedError:
    return RefusedError(
        f"{share.host}: HTTP 413: a proxy in front of the server limits the size of a request, and the "
        f"server has no chunked upload for public shares ({reason}). Ask who runs it to raise the limit "
        "(client_max_body_size in nginx) or to update Nextcloud",
        413,
    )


async def _put_chunks(
    share: Share, folder_url: str, file: LocalFile, headers: Mapping[str, str], on_sent: OnSent
) -> None:
    async def put(url: str, offset: int, length: int) -> DavResponse:
        return await share.client.request("PUT", url, headers, _body(file, offset, length, on_sent))

    chunk_bytes = max(CHUNK_BYTES, -(-file.size // _CHUNKS_AT_MOST))
    for number, offset in enumerate(range(0, file.size, chunk_bytes), start=1):
        length = min(chunk_bytes, file.size - offset)
        response = await share.client.retry(partial(put, f"{folder_url}/{number:05}", offset, length))
        if not response.succeeded:
            raise share.client.refusal(
                response, f"sending bytes {offset} to {offset + length} of {file.path.name}"
            )
