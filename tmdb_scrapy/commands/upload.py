"""`scrapy upload KIND`: put the merged file, or this machine's parts, on a Nextcloud public share."""

from __future__ import annotations

import argparse
import asyncio

from tmdb_scrapy.command import BAD_USE, INTERRUPTED, CommandFailed, TmdbCommand

# Scrapy imports every command to run one: the upload's HTTP client is imported where it is used, since a
# worker should not wait a quarter of a second for what it does not need.


class Command(TmdbCommand):
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

    def execute(self, opts: argparse.Namespace) -> None:
        if opts.parts and opts.name:
            raise CommandFailed("--name names one file and --parts sends several", BAD_USE)
        from tmdb_scrapy import uploads
        from tmdb_scrapy.nextcloud import UploadError

        kind = opts.kind
        try:
            if opts.parts:
                files = uploads.parts(self.config, kind)
            else:
                files = uploads.merged(self.config, kind, opts.name)
            failed = asyncio.run(uploads.send(self.config, files, opts.replace))
        except UploadError as error:
            raise CommandFailed(f"upload failed: {error}") from None
        except KeyboardInterrupt:
            raise CommandFailed(
                "upload interrupted: the share may hold an incomplete file", INTERRUPTED
            ) from None
        if failed:
            raise CommandFailed(f"{len(failed)} of {len(files)} files are not on the share")
