"""A public share: which of Nextcloud's two endpoints it is reached by, and the WebDAV it allows."""

from __future__ import annotations

import base64
import dataclasses
import socket
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from urllib.parse import quote

from tmdb_scrapy.network import Proxies
from tmdb_scrapy.nextcloud.link import ShareLink
from tmdb_scrapy.nextcloud.responses import PROPERTIES, DavResponse, RemoteFile, read_properties
from tmdb_scrapy.nextcloud.wire import PAUSES_S, DavClient, OnBlock, UploadError

_NOT_THERE = {400, 404, 405, 501}
"""What servers respond with at a path they have no WebDAV at."""
_UNREADABLE = {403, 405}
"""What an upload-only share responds with to PROPFIND."""


@dataclasses.dataclass(frozen=True, slots=True)
class Endpoint:
    """One way to address a share, with the headers that it wants."""

    top_url: str = dataclasses.field(repr=False)
    """The top folder of the share."""
    folder_url: str = dataclasses.field(repr=False)
    """The folder of the link, where files go."""
    chunks_url: str | None = dataclasses.field(repr=False)
    """Where chunks go; the legacy endpoint has no such place."""
    headers: Mapping[str, str] = dataclasses.field(repr=False)

    @classmethod
    def current(cls, link: ShareLink, password: str) -> Endpoint:
        """Since Nextcloud 29: the token is in the path."""
        dav = f"{link.base_url}/public.php/dav"
        top_url = f"{dav}/files/{link.token}"
        headers = _basic_auth("anonymous", password) if password else {}
        return cls(top_url, _below(top_url, *link.folder), f"{dav}/uploads/{link.token}", headers)

    @classmethod
    def legacy(cls, link: ShareLink, password: str) -> Endpoint:
        """Before: the token is the user's name."""
        top_url = f"{link.base_url}/public.php/webdav"
        return cls(top_url, _below(top_url, *link.folder), None, _basic_auth(link.token, password))

    def with_nickname(self) -> Endpoint:
        """Nextcloud puts the files of a nickname into a folder of that name, so only use it when asked to."""
        return dataclasses.replace(
            self, headers={**self.headers, "X-NC-Nickname": quote(socket.gethostname())}
        )

    def url_of(self, name: str) -> str:
        """The address of the file `name` in the folder of the link."""
        return _below(self.folder_url, name)


def _below(url: str, *names: str) -> str:
    return "/".join([url, *(quote(name, safe="") for name in names)])


def _basic_auth(user: str, password: str) -> dict[str, str]:
    return {"Authorization": "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()}


@dataclasses.dataclass(frozen=True, slots=True)
class Share:
    """An open share. `readable` is False for an upload-only one, whose endpoint only a PUT can find out."""

    client: DavClient
    endpoints: tuple[Endpoint, ...]
    readable: bool

    @property
    def host(self) -> str:
        """The server's name, fit for messages."""
        return self.client.link.host

    @property
    def place(self) -> str:
        """The server, and the folder of the share if the link has one, fit for messages."""
        link = self.client.link
        return f"{link.host} in {link.folder_path}" if link.folder else link.host

    @property
    def endpoint(self) -> Endpoint:
        """The endpoint that responded, or is likeliest to."""
        return self.endpoints[0]

    async def stat(self, name: str) -> RemoteFile | None:
        """What is under that name; None when nothing is. Raises `UploadError`."""
        return self._found(name, await self.client.retry(lambda: self._propfind(name)))

    async def stat_once(self, name: str) -> RemoteFile | None:
        """As `stat`, without trying again."""
        return self._found(name, await self._propfind(name))

    async def _propfind(self, name: str) -> DavResponse:
        return await _propfind(self.client, self.endpoint, self.endpoint.url_of(name))

    def _found(self, name: str, response: DavResponse) -> RemoteFile | None:
        found = read_properties(response)
        if found is None and response.status != 404:
            raise self.client.refusal(response, f"looking for {name}")
        return found

    async def read(self, name: str, on_block: OnBlock) -> DavResponse:
        """Hand the bytes under that name to `on_block`. Raises `UploadError` without a response."""
        url = self.endpoint.url_of(name)
        return await self.client.request("GET", url, self.endpoint.headers, on_block=on_block)

    async def move(self, source: str, target: str) -> DavResponse:
        """Rename, replacing `target`. Safe to repeat only after looking."""
        headers = {"Destination": self.endpoint.url_of(target), "Overwrite": "T", **self.endpoint.headers}
        return await self.client.request("MOVE", self.endpoint.url_of(source), headers)

    async def discard(self, name: str) -> None:
        """Delete what this program put there, if the share allows it."""
        await self.client.discard(self.endpoint.url_of(name), self.endpoint.headers)


@asynccontextmanager
async def open_share(
    link: ShareLink, password: str, proxies: Proxies, pauses_s: Sequence[float] = PAUSES_S
) -> AsyncIterator[Share]:
    """Find the share, and the folder of it that the link shows.

    Raises `UploadError` when there is no such share or folder, or the password is not accepted.
    """
    async with DavClient(link, password, proxies, pauses_s) as client:
        share = await _find(client)
        if link.folder:
            await _check_folder(share)
        yield share


async def _find(client: DavClient) -> Share:
    current = Endpoint.current(client.link, client.password)
    response = await _look(client, current, current.top_url)
    if read_properties(response):
        return _readable(client, current, response)
    if response.status in _UNREADABLE and response.is_from_nextcloud:
        return Share(client, (current,), readable=False)
    if response.is_from_nextcloud or not (response.status in _NOT_THERE | _UNREADABLE or response.succeeded):
        raise client.refusal(response, "opening the share")
    return await _find_legacy(client, current, response)


async def _find_legacy(client: DavClient, current: Endpoint, response: DavResponse) -> Share:
    """The current endpoint responded as one that is missing does, or as an upload-only share may."""
    legacy = Endpoint.legacy(client.link, client.password)
    legacy_response = await _look(client, legacy, legacy.top_url)
    if read_properties(legacy_response):
        return _readable(client, legacy, legacy_response)
    tried = ((current, response), (legacy, legacy_response))
    upload_only = tuple(endpoint for endpoint, each in tried if each.status in _UNREADABLE)
    if not upload_only:
        refused = legacy_response if legacy_response.status == 401 else response
        raise client.refusal(refused, "opening the share")
    return Share(client, upload_only, readable=False)


def _readable(client: DavClient, endpoint: Endpoint, response: DavResponse) -> Share:
    top = read_properties(response)
    if top and not top.is_folder:
        raise UploadError(f"{client.link.host}: the link is of a single file. Share a folder instead")
    return Share(client, (endpoint,), readable=True)


async def _check_folder(share: Share) -> None:
    """Raises `UploadError` unless files can go to the folder of the link."""
    path = share.client.link.folder_path
    if not share.readable:
        # Nextcloud puts what comes for a folder of such a share elsewhere: at the top, or under a nickname.
        raise UploadError(
            f"{share.host}: the share is upload-only, and such a share takes files at its top only, not in "
            f"{path}. Take the folder out of NEXTCLOUD_UPLOAD"
        )
    response = await _look(share.client, share.endpoint, share.endpoint.folder_url)
    found = read_properties(response)
    if found is None and response.status != 404:
        raise share.client.refusal(response, f"opening {path}")
    if found is None or not found.is_folder:
        raise UploadError(
            f"{share.host}: the share has no folder {path}, which NEXTCLOUD_UPLOAD names. Make it there, or "
            "take it out of the link to upload to the top"
        )


async def _look(client: DavClient, endpoint: Endpoint, folder_url: str) -> DavResponse:
    return await client.retry(lambda: _propfind(client, endpoint, f"{folder_url}/"))


async def _propfind(client: DavClient, endpoint: Endpoint, url: str) -> DavResponse:
    return await client.request("PROPFIND", url, {**endpoint.headers, "Depth": "0"}, PROPERTIES)
