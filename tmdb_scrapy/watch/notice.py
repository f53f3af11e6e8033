"""Telling a webhook how an update ended, in a form that Slack, Discord, ntfy and others understand."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import msgspec

from tmdb_scrapy.values import Secret

if TYPE_CHECKING:
    from tmdb_scrapy.network import Proxies

TIMEOUT_S = 20.0
LONGEST_TEXT = 1_900
"""Discord takes 2,000 characters."""


class NotTaken(Exception):
    """The webhook did not take a notice; the text says why, and has no more of its URL than the host."""


@dataclass(frozen=True, slots=True)
class Notice:
    """How an update ended."""

    text: str
    kind: str
    outcome: str
    """updated or failed."""
    counts: Mapping[str, int] = field(default_factory=dict)

    def body(self) -> bytes:
        """One JSON object: `text` is Slack's word for the sentence, `content` is Discord's."""
        text = self.text[:LONGEST_TEXT]
        return msgspec.json.encode(
            {"text": text, "content": text, "kind": self.kind, "outcome": self.outcome, **self.counts}
        )


def send(notice: Notice, url: Secret, proxies: Proxies) -> None:
    """POST a notice. Raises `NotTaken`."""
    asyncio.run(_send(notice, url, proxies))


async def _send(notice: Notice, url: Secret, proxies: Proxies) -> None:
    # Few updates have somebody to tell: the HTTP client is imported where it is used.
    from pyreqwest.client import ClientBuilder
    from pyreqwest.exceptions import PyreqwestError

    from tmdb_scrapy.network import prepared, translated

    where = f"NOTIFY_URL (at {urlsplit(url).hostname})"
    builder = prepared(ClientBuilder(), proxies).timeout(timedelta(seconds=TIMEOUT_S))
    try:
        async with builder.build() as client:
            request = client.post(str(url)).headers({"Content-Type": "application/json"})
            response = await request.body_bytes(notice.body()).build().send()
            status = response.status
    except (PyreqwestError, ValueError) as error:
        raise NotTaken(f"{where} was not told: {translated(error)}") from None
    if not 200 <= status < 300:
        raise NotTaken(f"{where} was not told: it answered HTTP {status}. Is the URL still right?")
