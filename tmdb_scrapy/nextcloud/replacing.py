"""Replacing a file of a readable share, at once where the share allows it."""

from __future__ import annotations

import asyncio
import uuid

from tmdb_scrapy.nextcloud.answers import RemoteFile, UploadError
from tmdb_scrapy.nextcloud.comparison import is_copy
from tmdb_scrapy.nextcloud.local_file import LocalFile
from tmdb_scrapy.nextcloud.receipt import Receipt
from tmdb_scrapy.nextcloud.share import Share
from tmdb_scrapy.nextcloud.storing import store
from tmdb_scrapy.nextcloud.wire import BrokenConnectionError, Progress, RefusedError


async def replace(
    share: Share, file: LocalFile, name: str, existing: RemoteFile, progress: Progress
) -> Receipt:
    """Put `file` in the place of `existing`, whatever that is. Raises `UploadError`.

    It is sent under another name and renamed, so that there is a whole file under `name` at every moment;
    where the share does not allow that, it is written over the old one.
    """
    if _may_be_renamed_over(existing):
        temporary = f"{name}.uploading-{uuid.uuid4().hex[:8]}"
        try:
            receipt = await store(share, file, temporary, None, progress, replace=True)
            if await _rename(share, file, temporary, name):
                return Receipt(name, receipt.size, receipt.verification)
        except RefusedError as error:
            if error.status not in {403, 405}:
                raise
        finally:
            # Gone after a rename, and in everyone's way otherwise.
            await share.discard(temporary)
    return await store(share, file, name, existing, progress, replace=True)


def _may_be_renamed_over(existing: RemoteFile) -> bool:
    """Whether the share may allow it: renaming over a file takes the right to delete it."""
    return existing.permissions is None or {"D", "N"} <= set(existing.permissions)


async def _rename(share: Share, file: LocalFile, temporary: str, name: str) -> bool:
    """Whether `temporary` became `name`; False when the share does not allow it."""
    problem = ""
    for pause_s in [*share.wire.patience.pauses_s(), 0.0]:
        try:
            answer = await share.move(temporary, name)
        except BrokenConnectionError as error:
            problem = str(error)
        else:
            if answer.succeeded:
                break
            if not answer.is_transient:
                return False
            problem = str(share.wire.refusal(answer, f"renaming {temporary} to {name}"))
        await asyncio.sleep(pause_s)
        if await share.stat(temporary) is None:
            break
    else:
        raise UploadError(problem)
    final = await share.stat(name)
    if final is None or not is_copy(final, file):
        raise UploadError(
            problem or f"{share.host}: {temporary} did not become {name}, although the server said so"
        )
    return True
