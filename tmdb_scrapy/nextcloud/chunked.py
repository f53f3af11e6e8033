"""Chunked upload: for files that a proxy in front of Nextcloud finds too large for one request.

Version 2 of Nextcloud's protocol: a folder is made under `/uploads/TOKEN/`, the chunks are put into it as
00001, 00002, …, and moving the folder's `.file` to its destination assembles them. Public shares have it
since 2025. https://docs.nextcloud.com/server/stable/developer_manual/client_apis/WebDAV/chunking.html
"""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import Mapping
from functools import partial

from tmdb_scrapy.nextcloud.answers import Answer, UploadError
from tmdb_scrapy.nextcloud.local_file import LocalFile
from tmdb_scrapy.nextcloud.share import Endpoint, Share
from tmdb_scrapy.nextcloud.wire import Body, Progress, RefusedError

CHUNK_BYTES = 10 << 20
"""What Nextcloud's own web page sends; the protocol wants 5 MB to 5 GB, and at most 10,000 chunks."""
_CHUNKS_AT_MOST = 10_000


_NOT_AVAILABLE = {400, 403, 404, 405, 409, 501}
"""What servers without the upload folder answer to its MKCOL."""


async def put_in_chunks(
    share: Share,
    endpoint: Endpoint,
    file: LocalFile,
    name: str,
    headers: Mapping[str, str],
    progress: Progress,
) -> Answer:
    """Send `file` piece by piece; the answer is that of the last step, which makes the file appear.

    Everything before that step is repeated where it failed, since it shows nothing under `name`. Raises
    `RefusedError` when the server has no chunked upload or refuses a piece, and `BrokenConnectionError` in
    the last step, when the server may or may not have assembled the file.
    """
    common = {
        **endpoint.headers,
        "Destination": endpoint.url_of(name),
        "OC-Total-Length": str(file.size),
    }
    folder = await _make_folder(share, endpoint, common)
    try:
        await _put_pieces(share, folder, file, common, progress)
    except (UploadError, asyncio.CancelledError):
        await share.wire.discard(folder, endpoint.headers)
        raise
    # From here on the folder is the server's: it may go on assembling after a proxy has given up waiting.
    return await share.wire.request("MOVE", f"{folder}/.file", {**common, **headers})


async def _make_folder(share: Share, endpoint: Endpoint, headers: Mapping[str, str]) -> str:
    if endpoint.uploads_url is None:
        raise _too_large(share, "its legacy endpoint")
    folder = ""

    async def attempt() -> Answer:
        nonlocal folder
        # A new name each time: an attempt that broke may have made its folder.
        folder = f"{endpoint.uploads_url}/tmdb-{uuid.uuid4().hex}"
        return await share.wire.request("MKCOL", folder, headers)

    answer = await share.wire.repeat(attempt)
    if answer.status in _NOT_AVAILABLE:
        raise _too_large(share, f"HTTP {answer.status}")
    if not answer.succeeded:
        raise share.wire.refusal(answer, "starting a chunked upload")
    return folder


def _too_large(share: Share, reason: str) -> RefusedError:
    return RefusedError(
        f"{share.host}: HTTP 413: a proxy in front of the server limits the size of a request, and the "
        f"server has no chunked upload for public shares ({reason}). Ask who runs it to raise the limit "
        "(client_max_body_size in nginx) or to update Nextcloud",
        413,
    )


async def _put_pieces(
    share: Share, folder: str, file: LocalFile, headers: Mapping[str, str], progress: Progress
) -> None:
    piece_bytes = max(CHUNK_BYTES, -(-file.size // _CHUNKS_AT_MOST))
    for number, offset in enumerate(range(0, file.size, piece_bytes), start=1):
        length = min(piece_bytes, file.size - offset)
        url = f"{folder}/{number:05}"
        answer = await share.wire.repeat(
            partial(_put_piece, share, url, headers, file, progress, offset, length),
        )
        if not answer.succeeded:
            raise share.wire.refusal(
                answer, f"sending bytes {offset} to {offset + length} of {file.path.name}"
            )


async def _put_piece(
    share: Share,
    url: str,
    headers: Mapping[str, str],
    file: LocalFile,
    progress: Progress,
    offset: int,
    length: int,
) -> Answer:
    return await share.wire.request("PUT", url, headers, Body(file, progress, offset, length))
