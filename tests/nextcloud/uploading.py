"""An upload as the tests ask for it, and the files that they ask it for."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest
from nextcloud_server import TOKEN, NextcloudServer

from tmdb_scrapy.network import Proxies
from tmdb_scrapy.nextcloud import LocalFile, Receipt, ShareLink, UploadError, open_share, upload

CONTENT = b'{"id":1,"title":"Blondie"}\n' * 4000
OTHER = b"another file altogether\n"
SHORT_BODY = (
    "400 Bad Request",
    "Expected filesize of 2 bytes but read (from Nextcloud client) and wrote (to Nextcloud storage) 1 byte.",
)
"""Status and message of Nextcloud's response to a PUT that was cut short."""
PAUSES_S = (0.01, 0.02)
ATTEMPTS = len(PAUSES_S) + 1


def send(
    server: NextcloudServer,
    path: Path,
    *,
    name: str = "movies.jsonl",
    password: str = "",
    replace: bool = False,
    link: str = "",
    sizes: list[int] | None = None,
) -> Receipt:
    async def run() -> Receipt:
        async with open_share(ShareLink.parse(link or server.link), password, Proxies(), PAUSES_S) as share:
            with LocalFile(path) as file:
                return await upload(
                    share, file, name, replace=replace, on_sent=(sizes if sizes is not None else []).append
                )

    return asyncio.run(run())


def refused(server: NextcloudServer, path: Path, **options: Any) -> str:
    with pytest.raises(UploadError) as caught:
        send(server, path, **options)
    assert TOKEN not in str(caught.value)
    return str(caught.value)
