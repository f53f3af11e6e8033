"""Putting a file on a share: never over a different file unasked, and looked at afterwards."""

from __future__ import annotations

import asyncio
import re

from tmdb_scrapy.nextcloud import replacing
from tmdb_scrapy.nextcloud.answers import RemoteFile, UploadError
from tmdb_scrapy.nextcloud.comparison import DifferentFileError, is_copy
from tmdb_scrapy.nextcloud.file_drop import drop
from tmdb_scrapy.nextcloud.local_file import LocalFile
from tmdb_scrapy.nextcloud.receipt import Receipt, Verification
from tmdb_scrapy.nextcloud.share import Share
from tmdb_scrapy.nextcloud.storing import store
from tmdb_scrapy.nextcloud.wire import Progress

_NAME = re.compile(r"(?!\.{1,2}$)[^/\\\x00-\x1f\x7f]{1,250}")


async def upload(share: Share, file: LocalFile, name: str, *, replace: bool, progress: Progress) -> Receipt:
    """Put `file` on the share as `name`.

    A copy that is there already is left alone, without `replace`. So is a different file; what is the
    beginning of `file` is no different file, since nothing of it is lost. Raises `UploadError`, which says
    what is under `name` afterwards.
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
            return await replacing.replace(share, file, name, existing, progress)
        return await store(share, file, name, existing, progress, replace=False)
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
