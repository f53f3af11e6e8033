"""Uploading files to a public share of Nextcloud.

`ShareLink` reads the link, `open_share` finds out which endpoint the server has and whether the share can
be read, and `upload` puts one file there, checks it, and says what became of it in a `Receipt`.
"""

from __future__ import annotations

from tmdb_scrapy.nextcloud.answers import UploadError
from tmdb_scrapy.nextcloud.link import ShareLink
from tmdb_scrapy.nextcloud.local_file import LocalFile
from tmdb_scrapy.nextcloud.receipt import Receipt, Verification
from tmdb_scrapy.nextcloud.share import Share, open_share
from tmdb_scrapy.nextcloud.upload import upload
from tmdb_scrapy.nextcloud.wire import Patience

__all__ = [
    "LocalFile",
    "Patience",
    "Receipt",
    "Share",
    "ShareLink",
    "UploadError",
    "Verification",
    "open_share",
    "upload",
]
