"""Putting a file on a share: never over a different file unasked, and looked at afterwards."""

from __future__ import annotations

import asyncio
import re
import uuid

from tmdb_scrapy.nextcloud.answers import Answer, RemoteFile, UploadError
from tmdb_scrapy.nextcloud.file_drop import drop
from tmdb_scrapy.nextcloud.local_file import LocalFile
from tmdb_scrapy.nextcloud.receipt import Receipt, Verification
from tmdb_scrapy.nextcloud.sending import send, server_hash_agrees
from tmdb_scrapy.nextcloud.share import Share
from tmdb_scrapy.nextcloud.wire import BrokenConnectionError, Progress, RefusedError

_NAME = re.compile(r"(?!\.{1,2}$)[^/\\\x00-\x1f\x7f]{1,250}")


async def upload(share: Share, file: LocalFile, name: str, *, replace: bool, progress: Progress) -> Receipt:
    """Put `file` on the share as `name`.

    A file that is there already and looks the same is left alone; one that looks different is replaced with
    `replace` only. Raises `UploadError`.
    """
    if not _NAME.fullmatch(name):
        raise UploadError(f"{name!r} cannot be a file's name on the share: choose a --name without slashes")
    await asyncio.to_thread(file.sha256)
    if not share.readable:
        return await drop(share, file, name, progress)
    existing = await share.stat(name)
    if existing is None:
        return await _put(share, file, name, None, progress)
    if existing.is_folder:
        raise UploadError(f"{share.host}: {name} is a folder on the share: choose another --name")
    if replace:
        return await _replace(share, file, name, existing, progress)
    return _leave(share, file, name, existing)


def _leave(share: Share, file: LocalFile, name: str, existing: RemoteFile) -> Receipt:
    if not _is_copy(existing, file):
        how = (
            f"{existing.size:,} bytes, not {file.size:,}"
            if existing.size != file.size
            else "another checksum"
        )
        raise UploadError(
            f"{share.host}: the share has a different {name} ({how}). Replace it with --replace, or upload "
            "under another name with --name"
        )
    if existing.sha256:
        return Receipt(name, file.size, Verification.ALREADY_THERE_SAME_CHECKSUM)
    return Receipt(name, file.size, Verification.ALREADY_THERE)


def _is_copy(remote: RemoteFile, file: LocalFile) -> bool:
    return remote.size == file.size and remote.sha256 in {None, file.sha256()}


async def _put(
    share: Share, file: LocalFile, name: str, before: RemoteFile | None, progress: Progress
) -> Receipt:
    """Send until the share holds the whole file; `before` is what was there and is to be overwritten."""
    remote = before
    problem = ""
    for pause_s in [*share.wire.patience.pauses_s(), 0.0]:
        answer: Answer | None = None
        try:
            answer = await send(
                share, share.endpoint, file, name, must_be_new=remote is None, progress=progress
            )
        except BrokenConnectionError as error:
            problem = str(error)
        else:
            problem = "" if answer.succeeded else str(share.wire.refusal(answer, f"uploading {name}"))
            if problem and not answer.is_transient and answer.status != 412:
                raise share.wire.refusal(answer, f"uploading {name}")
        if problem:
            await asyncio.sleep(pause_s)
        remote = await share.stat(name)
        if remote and _is_copy(remote, file) and _arrived(answer, file, remote, before):
            agrees = answer is not None and server_hash_agrees(answer, file)
            return Receipt(name, file.size, Verification.CHECKSUM if agrees else Verification.SIZE)
        if answer and answer.status == 412:
            raise share.wire.refusal(answer, f"uploading {name}")
        if not problem:
            await asyncio.sleep(pause_s)
    raise UploadError(_incomplete(share, file, name, remote, problem))


def _arrived(answer: Answer | None, file: LocalFile, remote: RemoteFile, before: RemoteFile | None) -> bool:
    """Whether a file that looks right is the one just sent, rather than the one that was there before."""
    if answer and answer.succeeded:
        return server_hash_agrees(answer, file) is not False
    return before is None or (remote.etag is not None and remote.etag != before.etag)


def _incomplete(share: Share, file: LocalFile, name: str, remote: RemoteFile | None, problem: str) -> str:
    if remote is None:
        return problem or f"{share.host}: {name} is not on the share, although the server said it was stored"
    state = f"{name} has {remote.size or 0:,} bytes there instead of {file.size:,}"
    return f"{problem or share.host + ': the upload is incomplete'}. {state}: upload it again with --replace"


async def _replace(
    share: Share, file: LocalFile, name: str, existing: RemoteFile, progress: Progress
) -> Receipt:
    """Send under another name and rename, so that there is a whole file under `name` at every moment."""
    if _may_be_renamed_over(existing):
        temporary = f"{name}.uploading-{uuid.uuid4().hex[:8]}"
        try:
            receipt = await _put(share, file, temporary, None, progress)
            if await _rename(share, file, temporary, name):
                return Receipt(name, receipt.size, receipt.verification)
        except RefusedError as error:
            if error.status not in {403, 405}:
                raise
        finally:
            # Gone after a rename, and in everyone's way otherwise.
            await share.discard(temporary)
    return await _put(share, file, name, existing, progress)


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
    if final is None or not _is_copy(final, file):
        raise UploadError(_incomplete(share, file, name, final, problem))
    return True
