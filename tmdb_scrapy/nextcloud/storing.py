"""Storing a file under a name of a readable share: sent, looked at, and sent again until it is whole."""

from __future__ import annotations

import asyncio

from tmdb_scrapy.nextcloud import precondition
from tmdb_scrapy.nextcloud.answers import Answer, RemoteFile, UploadError
from tmdb_scrapy.nextcloud.comparison import DifferentFileError, different, is_beginning, is_copy
from tmdb_scrapy.nextcloud.local_file import LocalFile
from tmdb_scrapy.nextcloud.precondition import Precondition
from tmdb_scrapy.nextcloud.receipt import Receipt, Verification
from tmdb_scrapy.nextcloud.sending import send, server_hash_agrees
from tmdb_scrapy.nextcloud.share import Share
from tmdb_scrapy.nextcloud.wire import BrokenConnectionError, Progress


async def store(
    share: Share, file: LocalFile, name: str, before: RemoteFile | None, progress: Progress, *, replace: bool
) -> Receipt:
    """Send until the share holds the whole file; `before` is what was there.

    Without `replace`, nothing is overwritten but the beginning of `file`, and every request names the ETag of
    what was compared: what another stores meanwhile is safe as well. Only a server that tells no ETags can
    lose a file that changes between the comparison and the request.

    Raises `DifferentFileError` rather than overwrite another's file, another `UploadError` when the file
    cannot be stored; a part of it may be there then.
    """
    answer: Answer | None = None
    problem = ""
    remote = before
    for pause_s in [*share.wire.patience.pauses_s(), 0.0]:
        only_if = precondition.NONE if replace else await _safe_condition(share, file, name, remote, answer)
        answer, problem = await _attempt(share, file, name, only_if, progress)
        if problem:
            await asyncio.sleep(pause_s)
        remote = await share.stat(name)
        if remote and is_copy(remote, file) and _arrived(answer, file, remote, before):
            agrees = answer is not None and server_hash_agrees(answer, file)
            return Receipt(name, file.size, Verification.CHECKSUM if agrees else Verification.SIZE)
        if answer and answer.status == 412:
            raise DifferentFileError(problem)
        if not problem:
            await asyncio.sleep(pause_s)
    raise UploadError(
        problem or f"{share.host}: {name} is not whole, although the server said that it was stored"
    )


async def _safe_condition(
    share: Share, file: LocalFile, name: str, remote: RemoteFile | None, answer: Answer | None
) -> Precondition:
    """The condition under which sending loses nothing: `remote`, if there is such a file, is ours.

    `answer` is the one to the attempt before. Raises `DifferentFileError` when `remote` is another's.
    """
    if remote is None:
        return precondition.ABSENT
    if not _was_stored(answer, remote) and not await is_beginning(share, name, remote, file):
        raise different(share, file, name, remote)
    return (
        precondition.unchanged(share.endpoint.url_of(name), remote.etag) if remote.etag else precondition.NONE
    )


def _was_stored(answer: Answer | None, remote: RemoteFile) -> bool:
    """Whether `remote` is what the server says to have stored."""
    return bool(answer and answer.succeeded and remote.etag and answer.headers.get("ETag") == remote.etag)


async def _attempt(
    share: Share, file: LocalFile, name: str, only_if: Precondition, progress: Progress
) -> tuple[Answer | None, str]:
    """Send once: the answer, if one came, and what went wrong, if anything did.

    Raises `RefusedError` when the server will not take the file later either.
    """
    try:
        answer = await send(share, share.endpoint, file, name, only_if, progress)
    except BrokenConnectionError as error:
        return None, str(error)
    if answer.succeeded:
        return answer, ""
    refusal = share.wire.refusal(answer, f"uploading {name}")
    if answer.is_transient or answer.status == 412:
        return answer, str(refusal)
    raise refusal


def _arrived(answer: Answer | None, file: LocalFile, remote: RemoteFile, before: RemoteFile | None) -> bool:
    """Whether a file that looks right is the one just sent, rather than the one that was there before."""
    if answer and answer.succeeded:
        return server_hash_agrees(answer, file) is not False
    return before is None or (remote.etag is not None and remote.etag != before.etag)
