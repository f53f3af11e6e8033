"""`scrapy upload KIND`: put the merged file, or this machine's parts, on a Nextcloud public share."""

from __future__ import annotations

import argparse
import asyncio
import re
import socket
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from scrapy.commands import ScrapyCommand

from tmdb_scrapy.commands.base import BAD_USE, INTERRUPTED, CommandFailed, KindsCommand
from tmdb_scrapy.config import Config
from tmdb_scrapy.kinds import Kind
from tmdb_scrapy.printable import printable
from tmdb_scrapy.records.part import merged_file, parts_directory
from tmdb_scrapy.watch.bars import bytes_bar, console

# Scrapy imports every command to run one: the package of the upload, with its HTTP client, is imported where
# it is used.
if TYPE_CHECKING:
    from tmdb_scrapy.nextcloud import Share

Files = Sequence[tuple[Path, str]]
"""Each with its name on the share."""


class Command(KindsCommand, ScrapyCommand):
    """Exits with 0 when every file is on the share, 1 when one is not, 2 when it was called wrongly."""

    def short_desc(self) -> str:
        return "Upload the merged file to the Nextcloud public share NEXTCLOUD_UPLOAD"

    def add_options(self, parser: argparse.ArgumentParser) -> None:
        super().add_options(parser)
        parser.add_argument(
            "--parts", action="store_true", help="this machine's parts instead of the merged file"
        )
        parser.add_argument("--name", metavar="NAME", help="name on the share (default: the file's own)")
        parser.add_argument(
            "--replace", action="store_true", help="replace a different file of the same name"
        )

    def execute_for(self, kind: Kind, opts: argparse.Namespace) -> None:
        if opts.parts and opts.name:
            raise CommandFailed("--name names one file and --parts sends several", BAD_USE)
        data_dir = self.config.data_dir
        files = _parts(data_dir, kind) if opts.parts else _merged(data_dir, kind, opts.name)
        try:
            failed = asyncio.run(_upload(self.config, files, opts.replace))
        except KeyboardInterrupt:
            raise CommandFailed(
                "upload interrupted: the share may hold an incomplete file", INTERRUPTED
            ) from None
        if failed:
            raise CommandFailed(f"{failed} of {len(files)} files are not on the share")


def _merged(data_dir: Path, kind: Kind, name: str | None) -> Files:
    path = merged_file(data_dir, kind)
    if not path.is_file():
        raise CommandFailed(f"upload failed: {path} does not exist: run `scrapy merge {kind.name}` first")
    return [(path, name or path.name)]


def _parts(data_dir: Path, kind: Kind) -> Files:
    """This machine's parts, named after it on the share.

    A worker may be adding to one meanwhile: what it had when it was opened is sent, perhaps half a line at
    its end, and the next upload finds the share's file to be the beginning of the part and completes it.
    """
    folder = parts_directory(data_dir, kind)
    found = sorted(folder.glob("*.jsonl"))
    if not found:
        raise CommandFailed(f"upload failed: {folder} has no parts: run `scrapy crawl {kind.name}` first")
    host = re.sub(r"[^A-Za-z0-9.-]", "-", socket.gethostname())
    return [(path, f"{host}-{kind.name}-{path.name}") for path in found]


async def _upload(config: Config, files: Files, replace: bool) -> int:
    """Upload every file that can be uploaded; returns how many cannot.

    Raises `ConfigError` for a link that is none, `CommandFailed` when the share cannot be used at all.
    """
    from tmdb_scrapy.network import Proxies
    from tmdb_scrapy.nextcloud import ShareLink, UploadError, open_share

    link = ShareLink.parse(config.nextcloud_upload)
    _say(f"looking at {f'{link.folder_path} of ' if link.folder else ''}the share on {link.host}")
    failed = 0
    try:
        async with open_share(link, config.nextcloud_password, Proxies.of(config)) as share:
            for path, name in files:
                try:
                    await _upload_one(share, path, name, replace)
                except (UploadError, OSError) as error:
                    failed += 1
                    _say(f"{name}: upload failed: {error}")
    except UploadError as error:
        raise CommandFailed(f"upload failed: {error}") from None
    return failed


async def _upload_one(share: Share, path: Path, name: str, replace: bool) -> None:
    from tmdb_scrapy.nextcloud import LocalFile, upload

    with LocalFile(path) as file, bytes_bar(name, file.size) as bar:
        _say(f"{name}: uploading {file.size:,} bytes to {share.place}")
        receipt = await upload(share, file, name, replace=replace, on_sent=bar.reach)
    _say(f"{name}: {receipt.size:,} bytes on {share.place}: {receipt.verification.value}")


def _say(text: str) -> None:
    console().print(printable(text), highlight=False, markup=False, soft_wrap=True)
