"""`scrapy upload KIND`: put the merged file, or this machine's parts, on a Nextcloud public share."""

from __future__ import annotations

import argparse
import asyncio
import re
import socket
import sys
from collections.abc import Sequence
from pathlib import Path

from rich.console import Console
from rich.progress import (
    BarColumn,
    DownloadColumn,
    Progress,
    TextColumn,
    TimeRemainingColumn,
    TransferSpeedColumn,
)
from scrapy.commands import ScrapyCommand
from scrapy.exceptions import UsageError

from tmdb_scrapy.config import Config, ConfigError
from tmdb_scrapy.nextcloud import LocalFile, Share, ShareLink, UploadError, open_share, upload

KINDS = ("movies", "people")
_EXIT_FAILED = 1
_EXIT_MISCONFIGURED = 2
_EXIT_INTERRUPTED = 130


class Command(ScrapyCommand):
    """Exits with 0 when every file is on the share, 1 when one is not, 2 when it was called wrongly."""

    requires_project = True
    requires_crawler_process = False

    def syntax(self) -> str:
        return "[options] <movies|people>"

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

    def run(self, args: list[str], opts: argparse.Namespace) -> None:
        if len(args) != 1 or args[0] not in KINDS:
            raise UsageError(f"upload takes one of {', '.join(KINDS)}", print_help=False)
        if opts.parts and opts.name:
            raise UsageError("--name names one file and --parts sends several", print_help=False)
        console = Console(stderr=True, highlight=False, markup=False, soft_wrap=True)
        try:
            config = Config.load()
            link = ShareLink.parse(config.nextcloud_upload)
            files = _files(config.data_dir, args[0], opts.parts, opts.name)
            self.exitcode = asyncio.run(
                _upload_all(link, config.nextcloud_password, files, opts.replace, console)
            )
        except ConfigError as error:
            print(error, file=sys.stderr)
            self.exitcode = _EXIT_MISCONFIGURED
        except UploadError as error:
            console.print(f"upload failed: {error}")
            self.exitcode = _EXIT_FAILED
        except KeyboardInterrupt:
            console.print("upload interrupted: the share may hold an incomplete file")
            self.exitcode = _EXIT_INTERRUPTED


def _files(data_dir: Path, kind: str, parts: bool, name: str | None) -> list[tuple[Path, str]]:
    """The files to upload and their names on the share. Raises `UploadError` when there are none."""
    if not parts:
        merged = data_dir / f"{kind}.jsonl"
        if not merged.is_file():
            raise UploadError(f"{merged} does not exist: run `scrapy merge {kind}` first")
        return [(merged, name or merged.name)]
    folder = data_dir / kind / "parts"
    found = sorted(folder.glob("*.jsonl"))
    if not found:
        raise UploadError(f"{folder} has no parts: run `scrapy crawl {kind}` first")
    host = re.sub(r"[^A-Za-z0-9.-]", "-", socket.gethostname())
    return [(path, f"{host}-{kind}-{path.name}") for path in found]


async def _upload_all(
    link: ShareLink, password: str, files: Sequence[tuple[Path, str]], replace: bool, console: Console
) -> int:
    """Upload what can be uploaded; the exit code."""
    failures = 0
    async with open_share(link, password) as share:
        for path, name in files:
            try:
                await _upload_one(share, path, name, replace, console)
            except (UploadError, OSError) as error:
                failures += 1
                console.print(f"{name}: upload failed: {error}")
    return _EXIT_FAILED if failures else 0


async def _upload_one(share: Share, path: Path, name: str, replace: bool, console: Console) -> None:
    with LocalFile(path) as file, _progress(console) as progress:
        console.print(f"{name}: uploading {file.size:,} bytes to {share.host}")
        task = progress.add_task(name, total=file.size)
        receipt = await upload(
            share, file, name, replace=replace, progress=lambda sent: progress.update(task, completed=sent)
        )
    console.print(f"{name}: {receipt.size:,} bytes on {share.host}: {receipt.verification.value}")


def _progress(console: Console) -> Progress:
    """A bar where people watch, nothing in a log."""
    return Progress(
        TextColumn("{task.description}", markup=False),
        BarColumn(),
        DownloadColumn(),
        TransferSpeedColumn(),
        TimeRemainingColumn(),
        console=console,
        transient=True,
        disable=not console.is_terminal,
    )
