"""The link of a public share, in every form that people copy it in."""

from __future__ import annotations

import dataclasses
import re
from urllib.parse import urlsplit

from tmdb_scrapy.config import ConfigError

_TOKEN = re.compile(r"[A-Za-z0-9_-]{1,64}")
_PAGES_OF_A_SHARE = {"download", "authenticate", "preview"}
"""What Nextcloud itself appends to a share's link, such as `/s/TOKEN/authenticate/showShare`."""


@dataclasses.dataclass(frozen=True, slots=True)
class ShareLink:
    """Where a share is. Whoever knows its token can use the share, so the token is never shown."""

    base_url: str
    """Where Nextcloud is installed: `https://host` or `https://host/cloud`, without a slash at the end."""
    token: str = dataclasses.field(repr=False)

    @classmethod
    def parse(cls, text: str) -> ShareLink:
        """Read `https://host[/cloud][/index.php]/s/TOKEN[/download][?query]` or `https://host/TOKEN`.

        The query is ignored: files go to the top folder of the share. Raises `ConfigError`, which does
        not quote the link.
        """
        if not text:
            raise _unusable("is not set: put the link of a public share (https://host/s/TOKEN) into .env")
        parts = urlsplit(text)
        if parts.scheme not in {"https", "http"} or not parts.hostname:
            raise _unusable("must be a link such as https://host/s/TOKEN")
        if "@" in parts.netloc:
            raise _unusable("must not contain a user or password: the password goes to NEXTCLOUD_PASSWORD")
        folders, token = _split([segment for segment in parts.path.split("/") if segment])
        return cls("/".join([f"{parts.scheme}://{parts.netloc}", *folders]), token)

    @property
    def host(self) -> str:
        """The server's name and port, fit for messages."""
        return urlsplit(self.base_url).netloc


def _split(segments: list[str]) -> tuple[list[str], str]:
    """The folders that Nextcloud is installed in, and the token."""
    for index, segment in enumerate(segments[:-1]):
        token, page = segments[index + 1], segments[index + 2 : index + 3]
        if segment == "s" and (not page or page[0] in _PAGES_OF_A_SHARE):
            folders = segments[:index]
            return (folders[:-1] if folders[-1:] == ["index.php"] else folders), _checked(token)
    if len(segments) == 1 and segments != ["s"]:
        return [], _checked(segments[0])
    raise _unusable("has no share in it: copy the share's public link, such as https://host/s/TOKEN")


def _checked(token: str) -> str:
    if not _TOKEN.fullmatch(token):
        raise _unusable(
            "has a share token with other characters than letters, digits, - and _: copy it again"
        )
    return token


def _unusable(reason: str) -> ConfigError:
    return ConfigError([f"NEXTCLOUD_UPLOAD {reason}"])
