"""Uploading to an upload-only share, where nothing can be looked at, renamed or deleted.

The server renames a file whose name exists, so whatever is sent twice is there twice: once a byte of the
file may have arrived, nothing is repeated.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator

from tmdb_scrapy.nextcloud.chunks import (
    ANYTHING,
    LocalFile,
    OnSent,
    send,
    server_hash_agrees,
)
from tmdb_scrapy.nextcloud.responses import DavResponse
from tmdb_scrapy.nextcloud.share import Endpoint, Share
from tmdb_scrapy.nextcloud.wire import BrokenConnectionError, NoConnectionError, UploadError

_LOOK_FIRST = (
    "The share is upload-only, so whether the file arrived is unknown: look at it before uploading again"
)


async def drop(share: Share, file: LocalFile, name: str, on_sent: OnSent) -> bool:
    """Send `file` exactly once; returns whether the server's checksum proves it. Raises `UploadError`."""
    first: DavResponse | None = None
    for endpoint in _ways(share):
        response = await _send_once(share, endpoint, file, name, on_sent)
        if response.succeeded:
            return _proven(response, share, file, name)
        first = first or response
        if not _stored_nothing(response):
            first = response
            break
    assert first is not None
    refusal = share.client.refusal(first, f"uploading {name}")
    raise UploadError(f"{refusal}. {_LOOK_FIRST}") if _may_have_stored(first) else refusal


def _ways(share: Share) -> Iterator[Endpoint]:
    for endpoint in share.endpoints:
        yield endpoint
        yield endpoint.with_nickname()


def _stored_nothing(response: DavResponse) -> bool:
    """Whether the server refused the request for its path or headers, so that another way may be tried."""
    return response.status in {403, 404, 405, 501} or (
        response.status == 400 and "nickname" in response.text.lower()
    )


def _may_have_stored(response: DavResponse) -> bool:
    return response.status >= 500 or response.is_transient


async def _send_once(
    share: Share, endpoint: Endpoint, file: LocalFile, name: str, on_sent: OnSent
) -> DavResponse:
    for pause_s in [*share.client.pauses_s, None]:
        try:
            return await send(share, endpoint, file, name, ANYTHING, on_sent)
        except NoConnectionError:
            if pause_s is None:
                raise
            await asyncio.sleep(pause_s)
        except BrokenConnectionError as error:
            raise UploadError(f"{error}. {_LOOK_FIRST}") from None
    raise AssertionError("the last attempt returns or raises")


def _proven(response: DavResponse, share: Share, file: LocalFile, name: str) -> bool:
    agrees = server_hash_agrees(response, file)
    if agrees is False:
        raise UploadError(
            f"{share.host}: {name} was damaged on the way: the server's checksum is another. Ask the owner "
            "of the share to delete it, then upload it again"
        )
    return bool(agrees)
