"""Sending a file once: in one request, or in chunks when a proxy finds that too large."""

from __future__ import annotations

from tmdb_scrapy.nextcloud.answers import Answer
from tmdb_scrapy.nextcloud.chunked import put_in_chunks
from tmdb_scrapy.nextcloud.local_file import LocalFile
from tmdb_scrapy.nextcloud.share import Endpoint, Share
from tmdb_scrapy.nextcloud.wire import Body, BrokenConnectionError, Progress

_HASH_HEADER = "X-Hash-SHA256"


class NothingSentError(BrokenConnectionError):
    """The connection failed before the first byte of the file was handed to it."""


async def send(
    share: Share, endpoint: Endpoint, file: LocalFile, name: str, must_be_new: bool, progress: Progress
) -> Answer:
    """The server's last word on one attempt. `must_be_new` makes it refuse (412) a name that exists.

    Raises `NothingSentError` or another `BrokenConnectionError` without an answer, `RefusedError` when
    there is no way to send the file.
    """
    checksum = {"OC-Checksum": f"SHA256:{file.sha256()}"}
    body = Body(file, progress)
    condition = {"If-None-Match": "*"} if must_be_new else {}
    # X-Hash asks Nextcloud for the checksum of what it received, on upload-only shares too.
    headers = {**endpoint.headers, **checksum, **condition, "X-Hash": "sha256"}
    try:
        answer = await share.wire.request("PUT", endpoint.url_of(name), headers, body)
    except BrokenConnectionError as error:
        if body.may_have_arrived:
            raise
        raise NothingSentError(str(error)) from None
    if answer.status != 413:
        return answer
    overwrite = {"Overwrite": "F" if must_be_new else "T"}
    return await put_in_chunks(share, endpoint, file, name, {**checksum, **overwrite}, progress)


def server_hash_agrees(answer: Answer, file: LocalFile) -> bool | None:
    """Whether the server received the bytes of `file`; None when it does not say."""
    told = answer.headers.get(_HASH_HEADER)
    return None if told is None else told.lower() == file.sha256()
