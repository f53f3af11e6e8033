"""Uploading files to a public share of Nextcloud, in the order in which an upload goes:

link (what the user copied), wire (HTTP; responses says what comes back), share (endpoint and folder),
upload (compare, send, verify), chunks (the bytes), or file_drop where nothing can be looked at.
"""

from __future__ import annotations

from tmdb_scrapy.nextcloud.chunks import LocalFile
from tmdb_scrapy.nextcloud.link import ShareLink
from tmdb_scrapy.nextcloud.share import Share, open_share
from tmdb_scrapy.nextcloud.upload import Receipt, Verification, upload
from tmdb_scrapy.nextcloud.wire import UploadError

__all__ = [
    "LocalFile",
    "Receipt",
    "Share",
    "ShareLink",
    "UploadError",
    "Verification",
    "open_share",
    "upload",
]
