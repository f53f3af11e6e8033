"""A public share: which of Nextcloud's two endpoints it is reached by, and the WebDAV it allows."""

from __future__ import annotations

import base64
import dataclasses
import socket
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from urllib.parse import quote

from tmdb_scrapy.nextcloud.answers import PROPERTIES, Answer, RemoteFile, UploadError, read_properties
from tmdb_scrapy.nextcloud.link import ShareLink
from tmdb_scrapy.nextcloud.wire import Patience, Take, Wire

_NOT_THERE = {400, 404, 405, 501}
"""What servers answer at a path they have no WebDAV at."""
_UNREADABLE = {403, 405}
"""What an upload-only share answers to PROPFIND."""


@dataclasses.dataclass(frozen=True, slots=True)
class Endpoint:
    """One way to address a share, with the headers that it wants."""

    files_url: str = dataclasses.field(repr=False)
    uploads_url: str | None = dataclasses.field(repr=False)
    """Where chunks go; the legacy endpoint has no such place."""
    headers: Mapping[str, str] = dataclasses.field(repr=False)

    @classmethod
    def current(cls, link: ShareLink, password: str) -> Endpoint:
        """Since Nextcloud 29: the token is in the path."""
        dav = f"{link.base_url}/public.php/dav"
        headers = _basic_auth("anonymous", password) if password else {}
        return cls(f"{dav}/files/{link.token}", f"{dav}/uploads/{link.token}", headers)

    @classmethod
    def legacy(cls, link: ShareLink, password: str) -> Endpoint:
        """Before: the token is the user's name."""
        return cls(f"{link.base_url}/public.php/webdav", None, _basic_auth(link.token, password))

    def with_nickname(self) -> Endpoint:
        """Nextcloud puts the files of a nickname into a folder of that name, so only use it when asked to."""
        return dataclasses.replace(
            self, headers={**self.headers, "X-NC-Nickname": quote(socket.gethostname())}
        )

    def url_of(self, name: str) -> str:
        """The address of the file `name` at the top of the share."""
        return f"{self.files_url}/{quote(name, safe='')}"


def _basic_auth(user: str, password: str) -> dict[str, str]:
    return {"Authorization": "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()}


@dataclasses.dataclass(frozen=True, slots=True)
class Share:
    """An open share. `readable` is False for an upload-only one, whose endpoint only a PUT can find out."""

    wire: Wire
    endpoints: tuple[Endpoint, ...]
    readable: bool

    @property
    def host(self) -> str:
        """The server's name, fit for messages."""
        return self.wire.link.host

    @property
    def endpoint(self) -> Endpoint:
        """The endpoint that answered, or is likeliest to."""
        return self.endpoints[0]

    async def stat(self, name: str) -> RemoteFile | None:
        """What is under that name; None when nothing is. Raises `UploadError`."""
        return self._found(name, await self.wire.repeat(lambda: self._propfind(name)))

    async def stat_once(self, name: str) -> RemoteFile | None:
        """As `stat`, without trying again."""
        return self._found(name, await self._propfind(name))

    async def _propfind(self, name: str) -> Answer:
        return await _propfind(self.wire, self.endpoint.url_of(name), self.endpoint)

    def _found(self, name: str, answer: Answer) -> RemoteFile | None:
        found = read_properties(answer)
        if found is None and answer.status != 404:
            raise self.wire.refusal(answer, f"looking for {name}")
        return found

    async def read(self, name: str, take: Take) -> Answer:
        """Hand the bytes under that name to `take`. Raises `UploadError` without an answer."""
        return await self.wire.request("GET", self.endpoint.url_of(name), self.endpoint.headers, take=take)

    async def move(self, source: str, target: str) -> Answer:
        """Rename, replacing `target`. Safe to repeat only after looking."""
        headers = {"Destination": self.endpoint.url_of(target), "Overwrite": "T", **self.endpoint.headers}
        return await self.wire.request("MOVE", self.endpoint.url_of(source), headers)

    async def discard(self, name: str) -> None:
        """Delete what this program put there, if the share allows it."""
        await self.wire.discard(self.endpoint.url_of(name), self.endpoint.headers)


@asynccontextmanager
async def open_share(
    link: ShareLink, password: str, patience: Patience | None = None
) -> AsyncIterator[Share]:
    """Find the share. Raises `UploadError` when there is none or the password is not accepted."""
    async with Wire(link, password, patience or Patience()) as wire:
        yield await _find(wire)


async def _find(wire: Wire) -> Share:
    current = Endpoint.current(wire.link, wire.password)
    answer = await _look(wire, current)
    if read_properties(answer):
        return _readable(wire, current, answer)
    if answer.status in _UNREADABLE and answer.is_from_nextcloud:
        return Share(wire, (current,), readable=False)
    if answer.is_from_nextcloud or not (answer.status in _NOT_THERE | _UNREADABLE or answer.succeeded):
        raise wire.refusal(answer, "opening the share")
    return await _find_legacy(wire, current, answer)


async def _find_legacy(wire: Wire, current: Endpoint, answer: Answer) -> Share:
    """The current endpoint answered as one that is missing does, or as an upload-only share may."""
    legacy = Endpoint.legacy(wire.link, wire.password)
    legacy_answer = await _look(wire, legacy)
    if read_properties(legacy_answer):
        return _readable(wire, legacy, legacy_answer)
    tried = ((current, answer), (legacy, legacy_answer))
    upload_only = tuple(endpoint for endpoint, reply in tried if reply.status in _UNREADABLE)
    if not upload_only:
        raise wire.refusal(legacy_answer if legacy_answer.status == 401 else answer, "opening the share")
    return Share(wire, upload_only, readable=False)


def _readable(wire: Wire, endpoint: Endpoint, answer: Answer) -> Share:
    top = read_properties(answer)
    if top and not top.is_folder:
        raise UploadError(f"{wire.link.host}: the link is of a single file. Share a folder instead")
    return Share(wire, (endpoint,), readable=True)


async def _look(wire: Wire, endpoint: Endpoint) -> Answer:
    return await wire.repeat(lambda: _propfind(wire, f"{endpoint.files_url}/", endpoint))


async def _propfind(wire: Wire, url: str, endpoint: Endpoint) -> Answer:
    return await wire.request("PROPFIND", url, {**endpoint.headers, "Depth": "0"}, PROPERTIES)
