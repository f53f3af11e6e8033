"""Sending a file once: in one request, or in chunks when a proxy finds that too large."""

from __future__ import annotations

from tmdb_scrapy.nextcloud.answers import Answer
from tmdb_scrapy.nextcloud.chunked import put_in_chunks
from tmdb_scrapy.nextcloud.local_file import LocalFile
from tmdb_scrapy.nextcloud.precondition import Precondition
from tmdb_scrapy.nextcloud.share import Endpoint, Share
from tmdb_scrapy.nextcloud.wire import Body, BrokenConnectionError, Progress

_HASH_HEADER = "X-Hash-SHA256"


class NothingSentError(BrokenConnectionError):
    """The connection failed before the first byte of the file was handed to it."""


async def send(
    share: Share, endpoint: Endpoint, file: LocalFile, name: str, only_if: Precondition, progress: Progress
) -> Answer:
    """The server's last word on one attempt; 412 when what is under `name` does not meet `only_if`.

    Raises `NothingSentError` or another `BrokenConnectionError` without an answer, `RefusedError` when
    there is no way to send the file.
    """
    checksum = {"OC-Checksum": f"SHA256:{file.sha256()}"}
    body = Body(file, progress)
    # X-Hash asks Nextcloud for the checksum of what it received, on upload-only shares too.
    headers = {**endpoint.headers, **checksum, **only_if.of_put, "X-Hash": "sha256"}
    try:
        answer = await share.wire.request("PUT", endpoint.url_of(name), headers, body)
    except BrokenConnectionError as error:
        if body.may_have_arrived:
            raise
        raise NothingSentError(str(error)) from None
    if answer.status != 413:
        return answer
    return await put_in_chunks(share, endpoint, file, name, {**checksum, **only_if.of_move}, progress)


def server_hash_agrees(answer: Answer, file: LocalFile) -> bool | None:
    """Whether the server received the bytes of `file`; None when it does not say."""
    told = answer.headers.get(_HASH_HEADER)
    return None if told is None else told.lower() == file.sha256()
