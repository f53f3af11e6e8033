"""The link of a public share, in every form that people copy it in."""

from __future__ import annotations

import dataclasses
import re
from urllib.parse import SplitResult, parse_qsl, urlsplit

from tmdb_scrapy.config import ConfigError

_TOKEN = re.compile(r"[A-Za-z0-9_-]{1,64}")
_PAGES_OF_A_SHARE = {"download", "authenticate", "preview"}
"""What Nextcloud itself appends to a share's link, such as `/s/TOKEN/authenticate/showShare`."""
_FOLDER_KEYS = {"path", "dir"}
"""Where Nextcloud's web page notes the folder that it shows: `path` until version 27, `dir` since."""
_IMPOSSIBLE_NAME = re.compile(r"\.{1,2}|.*[\\\x00-\x1f\x7f\ud800-\udfff].*", re.DOTALL)
"""The last range is what bytes that are no UTF-8 are read as."""


@dataclasses.dataclass(frozen=True, slots=True)
class ShareLink:
    """Where files go. Whoever knows a share's token can use the share, so the token is never shown."""

    base_url: str
    """Where Nextcloud is installed: `https://host` or `https://host/cloud`, without a slash at the end."""
    token: str = dataclasses.field(repr=False)
    folder: tuple[str, ...] = ()
    """The names from the top of the share down to the folder that the link shows; none for the top."""

    @classmethod
    def parse(cls, text: str) -> ShareLink:
        """Read `https://host[/cloud][/index.php]/s/TOKEN[/download][?path=/folder]` or `https://host/TOKEN`.

        `?path=` and `?dir=` name a folder of the share, other keys of the query are ignored. Raises
        `ConfigError`, which does not quote the link.
        """
        if not text:
            raise _unusable("is not set: put the link of a public share (https://host/s/TOKEN) into .env")
        parts = urlsplit(text)
        if parts.scheme not in {"https", "http"} or not parts.hostname:
            raise _unusable("must be a link such as https://host/s/TOKEN")
        if "@" in parts.netloc:
            raise _unusable("must not contain a user or password: the password goes to NEXTCLOUD_PASSWORD")
        installed_in, token = _split([segment for segment in parts.path.split("/") if segment])
        return cls("/".join([f"{parts.scheme}://{parts.netloc}", *installed_in]), token, _folder(parts))

    @property
    def host(self) -> str:
        """The server's name and port, fit for messages."""
        return urlsplit(self.base_url).netloc

    @property
    def folder_path(self) -> str:
        """The folder as people write it: `/movies/2026`, and `/` for the top."""
        return "/" + "/".join(self.folder)


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


def _folder(parts: SplitResult) -> tuple[str, ...]:
    """The folder of the share that the link shows. Old browsers were given it behind a #."""
    pairs = [
        pair
        for query in (parts.query, parts.fragment.removeprefix("?"))
        for pair in parse_qsl(query, errors="surrogateescape")
    ]
    named = {tuple(name for name in value.split("/") if name) for key, value in pairs if key in _FOLDER_KEYS}
    if len(named) > 1:
        raise _unusable("names two folders: keep one of ?path= and ?dir=")
    folder = named.pop() if named else ()
    if any(_IMPOSSIBLE_NAME.fullmatch(name) for name in folder):
        raise _unusable(
            "names a folder that no share has (.. in its path, say): open the folder and copy again"
        )
    return folder


def _checked(token: str) -> str:
    if not _TOKEN.fullmatch(token):
        raise _unusable(
            "has a share token with other characters than letters, digits, - and _: copy it again"
        )
    return token


def _unusable(reason: str) -> ConfigError:
    return ConfigError([f"NEXTCLOUD_UPLOAD {reason}"])
