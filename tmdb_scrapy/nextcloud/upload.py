"""Putting a file on a share: never over a different file unasked, and looked at afterwards."""

from __future__ import annotations

import asyncio
import dataclasses
import enum
import re
import uuid

from tmdb_scrapy.nextcloud.chunks import (
    ANYTHING,
    NOTHING,
    LocalFile,
    OnSent,
    Precondition,
    send,
    server_hash_agrees,
    unchanged,
)
from tmdb_scrapy.nextcloud.file_drop import drop
from tmdb_scrapy.nextcloud.responses import DavResponse, RemoteFile
from tmdb_scrapy.nextcloud.share import Share
from tmdb_scrapy.nextcloud.wire import BrokenConnectionError, RefusedError, UploadError

_NAME = re.compile(r"(?!\.{1,2}$)[^/\\\x00-\x1f\x7f]{1,250}")


class Verification(enum.Enum):
    """How sure it is that the share holds the file."""

    SIZE = "size verified"
    CHECKSUM = "checksum verified"
    ALREADY_THERE = "was already there, same size"
    ALREADY_THERE_SAME_CHECKSUM = "was already there, same checksum"
    IMPOSSIBLE = (
        "sent but not verified: the share is upload-only (a file of that name, if any, is still there too)"
    )


@dataclasses.dataclass(frozen=True, slots=True)
class Receipt:
    """What became of an upload: one file of the share."""

    name: str
    size: int
    verification: Verification


class DifferentFileError(UploadError):
    """The share has another file under the name; nothing was done to it."""


async def upload(share: Share, file: LocalFile, name: str, *, replace: bool, on_sent: OnSent) -> Receipt:
    """Put `file` on the share as `name`.

    A copy that is there already is left alone, without `replace`. So is a different file; what is the
    beginning of `file` is no different file, since nothing of it is lost. Raises `UploadError`, which says
    what is under `name` afterwards.
    """
    if not _NAME.fullmatch(name):
        raise UploadError(f"{name!r} cannot be a file's name on the share: choose a --name without slashes")
    await asyncio.to_thread(file.sha256)
    if not share.readable:
        proven = await drop(share, file, name, on_sent)
        return Receipt(name, file.size, Verification.CHECKSUM if proven else Verification.IMPOSSIBLE)
    existing = await share.stat(name)
    if existing and existing.is_folder:
        raise UploadError(f"{share.host}: {name} is a folder on the share: choose another --name")
    if existing and not replace and is_copy(existing, file):
        same = Verification.ALREADY_THERE_SAME_CHECKSUM if existing.sha256 else Verification.ALREADY_THERE
        return Receipt(name, file.size, same)
    try:
        if existing and replace:
            return Receipt(name, file.size, await _replace(share, file, name, existing, on_sent))
        return Receipt(name, file.size, await _store(share, file, name, existing, on_sent, replace=False))
    except DifferentFileError:
        raise
    except UploadError as error:
        raise UploadError(f"{error}{await _what_is_left(share, file, name, existing)}") from None


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


async def _store(
    share: Share, file: LocalFile, name: str, before: RemoteFile | None, on_sent: OnSent, *, replace: bool
) -> Verification:
    """Send until the share holds the whole file; `before` is what was there.

    Without `replace`, nothing is overwritten but the beginning of `file`, and every request names the ETag of
    what was compared: what another stores meanwhile is safe as well. Only a server that tells no ETags can
    lose a file that changes between the comparison and the request.

    Raises `DifferentFileError` rather than overwrite another's file, another `UploadError` when the file
    cannot be stored; a part of it may be there then.
    """
    response: DavResponse | None = None
    problem = ""
    remote = before
    for pause_s in [*share.client.pauses_s, 0.0]:
        only_if = ANYTHING if replace else await _safe_condition(share, file, name, remote, response)
        response, problem = await _attempt(share, file, name, only_if, on_sent)
        if problem:
            await asyncio.sleep(pause_s)
        remote = await share.stat(name)
        if remote and is_copy(remote, file) and _arrived(response, file, remote, before):
            agrees = response is not None and server_hash_agrees(response, file)
            return Verification.CHECKSUM if agrees else Verification.SIZE
        if response and response.status == 412:
            raise DifferentFileError(problem)
        if not problem:
            await asyncio.sleep(pause_s)
    raise UploadError(
        problem or f"{share.host}: {name} is not whole, although the server said that it was stored"
    )


async def _safe_condition(
    share: Share, file: LocalFile, name: str, remote: RemoteFile | None, response: DavResponse | None
) -> Precondition:
    """The condition under which sending loses nothing: `remote`, if there is such a file, is ours.

    `response` is the one to the attempt before. Raises `DifferentFileError` when `remote` is another's.
    """
    if remote is None:
        return NOTHING
    if not _was_stored(response, remote) and not await _is_beginning(share, name, remote, file):
        raise DifferentFileError(
            f"{share.host}: the share has a different {name} ({difference(remote, file)}). Replace it with "
            "--replace, or upload under another name with --name"
        )
    return unchanged(share.endpoint.url_of(name), remote.etag) if remote.etag else ANYTHING


def _was_stored(response: DavResponse | None, remote: RemoteFile) -> bool:
    """Whether `remote` is what the server says to have stored."""
    return bool(
        response and response.succeeded and remote.etag and response.headers.get("ETag") == remote.etag
    )


async def _attempt(
    share: Share, file: LocalFile, name: str, only_if: Precondition, on_sent: OnSent
) -> tuple[DavResponse | None, str]:
    """Send once: the response, if one came, and what went wrong, if anything did.

    Raises `RefusedError` when the server will not take the file later either.
    """
    try:
        response = await send(share, share.endpoint, file, name, only_if, on_sent)
    except BrokenConnectionError as error:
        return None, str(error)
    if response.succeeded:
        return response, ""
    refusal = share.client.refusal(response, f"uploading {name}")
    if response.is_transient or response.status == 412:
        return response, str(refusal)
    raise refusal


def _arrived(
    response: DavResponse | None, file: LocalFile, remote: RemoteFile, before: RemoteFile | None
) -> bool:
    """Whether a file that looks right is the one just sent, rather than the one that was there before."""
    if response and response.succeeded:
        return server_hash_agrees(response, file) is not False
    return before is None or (remote.etag is not None and remote.etag != before.etag)


async def _replace(
    share: Share, file: LocalFile, name: str, existing: RemoteFile, on_sent: OnSent
) -> Verification:
    """Put `file` in the place of `existing`, whatever that is. Raises `UploadError`.

    It is sent under another name and renamed, so that there is a whole file under `name` at every moment;
    where the share does not allow that, it is written over the old one.
    """
    if _may_be_renamed_over(existing):
        temporary = f"{name}.uploading-{uuid.uuid4().hex[:8]}"
        try:
            verification = await _store(share, file, temporary, None, on_sent, replace=True)
            if await _rename(share, file, temporary, name):
                return verification
        except RefusedError as error:
            if error.status not in {403, 405}:
                raise
        finally:
            # Gone after a rename, and in everyone's way otherwise.
            await share.discard(temporary)
    return await _store(share, file, name, existing, on_sent, replace=True)


def _may_be_renamed_over(existing: RemoteFile) -> bool:
    """Whether the share may allow it: renaming over a file takes the right to delete it."""
    return existing.permissions is None or {"D", "N"} <= set(existing.permissions)


async def _rename(share: Share, file: LocalFile, temporary: str, name: str) -> bool:
    """Whether `temporary` became `name`; False when the share does not allow it."""
    problem = ""
    for pause_s in [*share.client.pauses_s, 0.0]:
        try:
            response = await share.move(temporary, name)
        except BrokenConnectionError as error:
            problem = str(error)
        else:
            if response.succeeded:
                break
            if not response.is_transient:
                return False
            problem = str(share.client.refusal(response, f"renaming {temporary} to {name}"))
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


def is_copy(remote: RemoteFile, file: LocalFile) -> bool:
    """Whether it looks like `file`: the checksum decides where the server tells one, else the size does."""
    return remote.size == file.size and remote.sha256 in {None, file.sha256()}


def difference(remote: RemoteFile, file: LocalFile) -> str:
    """How it differs from `file`, in words."""
    if remote.size is None:
        return "of a size that the server does not tell"
    return "another checksum" if remote.size == file.size else f"{remote.size:,} bytes, not {file.size:,}"


async def _is_beginning(share: Share, name: str, remote: RemoteFile, file: LocalFile) -> bool:
    """Whether `file` starts with all that is under `name`, so that storing it there loses nothing.

    An upload that broke off leaves such a file, and so does one of a part that has grown since. The bytes
    themselves are compared, up to the first that differ: no property tells a torn upload from another's
    file. False where the share does not let them be read. Raises `UploadError` when they cannot be read now.
    """
    if remote.is_folder or remote.size is None or remote.size >= file.size:
        return False
    agreed_bytes, agrees = 0, True

    def compare(block: bytes) -> bool:
        nonlocal agreed_bytes, agrees
        agrees = block == file.read(agreed_bytes, len(block))
        agreed_bytes += len(block) if agrees else 0
        return agrees

    async def attempt() -> DavResponse:
        nonlocal agreed_bytes, agrees
        agreed_bytes, agrees = 0, True
        return await share.read(name, compare)

    response = await share.client.retry(attempt)
    if response.is_transient:
        raise share.client.refusal(response, f"comparing {name} with {file.path}")
    return response.status == 200 and agrees and agreed_bytes == remote.size
