"""Putting a file on a share: never over a different file unasked, and looked at afterwards."""

from __future__ import annotations

import asyncio
import re
import uuid

from tmdb_scrapy.nextcloud import precondition
from tmdb_scrapy.nextcloud.answers import Answer, RemoteFile, UploadError
from tmdb_scrapy.nextcloud.comparison import DifferentFileError, different, is_beginning, is_copy
from tmdb_scrapy.nextcloud.file_drop import drop
from tmdb_scrapy.nextcloud.local_file import LocalFile
from tmdb_scrapy.nextcloud.precondition import Precondition
from tmdb_scrapy.nextcloud.receipt import Receipt, Verification
from tmdb_scrapy.nextcloud.sending import send, server_hash_agrees
from tmdb_scrapy.nextcloud.share import Share
from tmdb_scrapy.nextcloud.wire import BrokenConnectionError, Progress, RefusedError

_NAME = re.compile(r"(?!\.{1,2}$)[^/\\\x00-\x1f\x7f]{1,250}")


async def upload(share: Share, file: LocalFile, name: str, *, replace: bool, progress: Progress) -> Receipt:
    """Put `file` on the share as `name`.

    A copy that is there already is left alone. So is a different file, without `replace`; what is the
    beginning of `file` is no different file, since nothing of it is lost. Raises `UploadError`, which says
    what is under `name` afterwards.

    Every request names the ETag that the decision to overwrite was based on, so that a file that another
    puts there meanwhile is safe as well. What remains is a server that tells no ETags: there, a file that
    appears between the last look and the request is lost.
    """
    if not _NAME.fullmatch(name):
        raise UploadError(f"{name!r} cannot be a file's name on the share: choose a --name without slashes")
    await asyncio.to_thread(file.sha256)
    if not share.readable:
        return await drop(share, file, name, progress)
    existing = await share.stat(name)
    if existing and existing.is_folder:
        raise UploadError(f"{share.host}: {name} is a folder on the share: choose another --name")
    if existing and not replace and is_copy(existing, file):
        return Receipt(name, file.size, _found(existing))
    try:
        if existing and replace:
            return await _replace(share, file, name, existing, progress)
        return await _put(share, file, name, existing, replace, progress)
    except DifferentFileError:
        raise
    except UploadError as error:
        raise UploadError(f"{error}{await _what_is_left(share, file, name, existing)}") from None


def _found(existing: RemoteFile) -> Verification:
    return Verification.ALREADY_THERE_SAME_CHECKSUM if existing.sha256 else Verification.ALREADY_THERE


async def _what_is_left(share: Share, file: LocalFile, name: str, before: RemoteFile | None) -> str:
    """What is under `name` after a failure, as a sentence to append to its message."""
    try:
        remote = await share.stat_once(name)
    except UploadError:
        return f". Whether a part of {name} is on the share now is unknown: look at it"
    if remote is None:
        return ""
    if before and before.etag and before.etag == remote.etag:
        return f". The {name} that was there is untouched"
    if remote.size == file.size:
        return f". Whether the {name} there is this file is unknown: upload it again with --replace"
    return f". {name} has {remote.size or 0:,} bytes there instead of {file.size:,}: upload it again"


async def _put(
    share: Share, file: LocalFile, name: str, before: RemoteFile | None, replace: bool, progress: Progress
) -> Receipt:
    """Send until the share holds the whole file; `before` is what was there.

    Raises `DifferentFileError` rather than overwrite another's file, except with `replace`.
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


async def _replace(
    share: Share, file: LocalFile, name: str, existing: RemoteFile, progress: Progress
) -> Receipt:
    """Send under another name and rename, so that there is a whole file under `name` at every moment."""
    if _may_be_renamed_over(existing):
        temporary = f"{name}.uploading-{uuid.uuid4().hex[:8]}"
        try:
            receipt = await _put(share, file, temporary, None, True, progress)
            if await _rename(share, file, temporary, name):
                return Receipt(name, receipt.size, receipt.verification)
        except RefusedError as error:
            if error.status not in {403, 405}:
                raise
        finally:
            # Gone after a rename, and in everyone's way otherwise.
            await share.discard(temporary)
    return await _put(share, file, name, existing, True, progress)


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
