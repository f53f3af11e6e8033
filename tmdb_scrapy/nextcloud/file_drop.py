"""Uploading to an upload-only share, where nothing can be looked at, renamed or deleted.

The server renames a file whose name exists, so whatever is sent twice is there twice: once a byte of the
file may have arrived, nothing is repeated.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator

from tmdb_scrapy.nextcloud import precondition
from tmdb_scrapy.nextcloud.answers import Answer, UploadError
from tmdb_scrapy.nextcloud.local_file import LocalFile
from tmdb_scrapy.nextcloud.receipt import Receipt, Verification
from tmdb_scrapy.nextcloud.sending import NothingSentError, send, server_hash_agrees
from tmdb_scrapy.nextcloud.share import Endpoint, Share
from tmdb_scrapy.nextcloud.wire import BrokenConnectionError, Progress

_LOOK_FIRST = (
    "The share is upload-only, so whether the file arrived is unknown: look at it before uploading again"
)


async def drop(share: Share, file: LocalFile, name: str, progress: Progress) -> Receipt:
    """Send `file` exactly once. Raises `UploadError`."""
    first: Answer | None = None
    for endpoint in _ways(share):
        answer = await _send_once(share, endpoint, file, name, progress)
        if answer.succeeded:
            return Receipt(name, file.size, _verified(answer, share, file, name))
        first = first or answer
        if not _stored_nothing(answer):
            first = answer
            break
    assert first is not None
    refusal = share.wire.refusal(first, f"uploading {name}")
    raise UploadError(f"{refusal}. {_LOOK_FIRST}") if _may_have_stored(first) else refusal


def _ways(share: Share) -> Iterator[Endpoint]:
    for endpoint in share.endpoints:
        yield endpoint
        yield endpoint.with_nickname()


def _stored_nothing(answer: Answer) -> bool:
    """Whether the server refused the request for its path or headers, so that another way may be tried."""
    return answer.status in {403, 404, 405, 501} or (
        answer.status == 400 and "nickname" in answer.text.lower()
    )


def _may_have_stored(answer: Answer) -> bool:
    return answer.status >= 500 or answer.is_transient


async def _send_once(
    share: Share, endpoint: Endpoint, file: LocalFile, name: str, progress: Progress
) -> Answer:
    for pause_s in [*share.wire.patience.pauses_s(), None]:
        try:
            return await send(share, endpoint, file, name, precondition.NONE, progress)
        except NothingSentError:
            if pause_s is None:
                raise
            await asyncio.sleep(pause_s)
        except BrokenConnectionError as error:
            raise UploadError(f"{error}. {_LOOK_FIRST}") from None
    raise AssertionError("the last attempt returns or raises")


def _verified(answer: Answer, share: Share, file: LocalFile, name: str) -> Verification:
    agrees = server_hash_agrees(answer, file)
    if agrees is False:
        raise UploadError(
            f"{share.host}: {name} was damaged on the way: the server's checksum is another. Ask the owner "
            "of the share to delete it, then upload it again"
        )
    return Verification.CHECKSUM if agrees else Verification.IMPOSSIBLE
