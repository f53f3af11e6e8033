"""What `scrapy upload` sends: the merged file, or this machine's parts."""

from __future__ import annotations

import re
import socket
from collections.abc import Sequence
from pathlib import Path

from tmdb_scrapy.config import Config
from tmdb_scrapy.nextcloud import LocalFile, Share, ShareLink, UploadError, open_share, upload
from tmdb_scrapy.parts import merged_file, parts_directory
from tmdb_scrapy.progress import bytes_bar, console


def merged(config: Config, kind: str, name: str | None) -> list[tuple[Path, str]]:
    """The merged file and its name on the share. Raises `UploadError` when there is none."""
    path = merged_file(config.data_dir, kind)
    if not path.is_file():
        raise UploadError(f"{path} does not exist: run `scrapy merge {kind}` first")
    return [(path, name or path.name)]


def parts(config: Config, kind: str) -> list[tuple[Path, str]]:
    """This machine's parts, named after it on the share. Raises `UploadError` when there are none.

    A worker may be adding to one meanwhile: what it had when it was opened is sent, perhaps half a line at
    its end, and the next upload finds the share's file to be the beginning of the part and completes it.
    """
    folder = parts_directory(config.data_dir, kind)
    found = sorted(folder.glob("*.jsonl"))
    if not found:
        raise UploadError(f"{folder} has no parts: run `scrapy crawl {kind}` first")
    host = re.sub(r"[^A-Za-z0-9.-]", "-", socket.gethostname())
    return [(path, f"{host}-{kind}-{path.name}") for path in found]


async def send(config: Config, files: Sequence[tuple[Path, str]], replace: bool) -> list[str]:
    """Upload every file that can be uploaded; the names of the others.

    Raises `ConfigError` for a link that is none, `UploadError` when the share cannot be used at all.
    """
    failed = []
    link = ShareLink.parse(config.nextcloud_upload)
    _say(f"looking at the share on {link.host}")
    async with open_share(link, config.nextcloud_password) as share:
        for path, name in files:
            try:
                await _send_one(share, path, name, replace)
            except (UploadError, OSError) as error:
                failed.append(name)
                _say(f"{name}: upload failed: {error}")
    return failed


async def _send_one(share: Share, path: Path, name: str, replace: bool) -> None:
    with LocalFile(path) as file, bytes_bar(name, file.size) as progress:
        _say(f"{name}: uploading {file.size:,} bytes to {share.host}")
        (task,) = progress.task_ids
        receipt = await upload(
            share, file, name, replace=replace, progress=lambda sent: progress.update(task, completed=sent)
        )
    _say(f"{name}: {receipt.size:,} bytes on {share.host}: {receipt.verification.value}")


def _say(text: str) -> None:
    console.print(text, highlight=False, markup=False, soft_wrap=True)
