"""What a server's responses mean: status and body in, facts and sentences out. No I/O."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from xml.etree import ElementTree

from tmdb_scrapy.printable import line

_DAV = "{DAV:}"
_OWNCLOUD = "{http://owncloud.org/ns}"
_SABRE = "{http://sabredav.org/ns}"
PROPERTIES = """<?xml version="1.0"?>
<d:propfind xmlns:d="DAV:" xmlns:oc="http://owncloud.org/ns"><d:prop>
<d:resourcetype/><d:getcontentlength/><d:getetag/><oc:checksums/><oc:permissions/>
</d:prop></d:propfind>"""
"""The body of a PROPFIND whose response `read_properties` reads."""

_PASSING = {408, 423, 500, 502, 503, 504, *range(520, 525)}
"""520 to 524 are Cloudflare's, in front of a server that is slow or away."""
_MEANINGS = {
    401: "the share needs a password (set NEXTCLOUD_PASSWORD) or no longer exists",
    403: "the share does not allow it. Ask its owner to allow uploading (and editing, to replace files)",
    404: "there is no such share. Check NEXTCLOUD_UPLOAD; it may have expired or been deleted",
    405: "the share does not allow it. Ask its owner to allow uploading",
    407: "the proxy asks for a user and password. Put them into its address: http://USER:PASSWORD@HOST:PORT",
    409: "there is no folder to upload to. Check that NEXTCLOUD_UPLOAD is the link of a folder",
    412: "a file of that name appeared meanwhile, or changed. Choose another --name, or --replace it",
    413: "a proxy in front of the server limits the size of a request. Ask who runs it to raise the limit",
    423: "the file is locked by another transfer. Try again in some minutes",
    429: "the server throttles this address, usually after wrong passwords. Wait half an hour",
    507: "the owner's storage quota is used up. Free some space",
}


@dataclasses.dataclass(frozen=True, slots=True)
class DavResponse:
    """A response whose body was read."""

    status: int
    headers: Mapping[str, str]
    text: str = dataclasses.field(repr=False)

    @property
    def succeeded(self) -> bool:
        """Whether a write was done. 202 and 207 promise less, a redirect nothing."""
        return self.status in {200, 201, 204}

    @property
    def is_from_nextcloud(self) -> bool:
        """Whether Nextcloud's WebDAV code wrote it, rather than a web server that lacks the endpoint."""
        return "sabredav.org/ns" in self.text

    @property
    def says_no_such_share(self) -> bool:
        """Nextcloud 29 to 32 respond with 503 to an unknown token and name the exception in the body."""
        return self.is_from_nextcloud and "NotFound" in self.text and self.status in {404, 503}

    @property
    def is_transient(self) -> bool:
        """Whether the same request may succeed a little later."""
        return self.says_body_was_cut_short or (self.status in _PASSING and not self.says_no_such_share)

    @property
    def says_body_was_cut_short(self) -> bool:
        """Nextcloud's 400 for a body shorter than its Content-Length: `Expected filesize of … but read …`."""
        return self.status == 400 and "expected filesize" in self.text.lower()

    def explain(self, has_password: bool) -> str:
        """Why the server refused, in its own words where it has any, and what the user can do."""
        reason = f"HTTP {self.status}: {self._meaning(has_password)}"
        words = self._servers_words()
        return f"{reason} (the server says: {words})" if words else reason

    def _meaning(self, has_password: bool) -> str:
        if self.status == 401 and has_password:
            return (
                "the share or its password is not accepted. Check NEXTCLOUD_UPLOAD and NEXTCLOUD_PASSWORD "
                "before you try again: wrong passwords are throttled"
            )
        if self.says_no_such_share:
            return _MEANINGS[404]
        if self.status == 503 and self.headers.get("X-Nextcloud-Maintenance-Mode") == "1":
            return "the server is in maintenance mode. Try again later"
        if 300 <= self.status < 400:
            return "the server redirects. Open the link in a browser and copy its address to NEXTCLOUD_UPLOAD"
        if self.status >= 500:
            return _MEANINGS.get(self.status, "the server failed. Try again later or ask who runs it")
        return _MEANINGS.get(self.status, "the server refused")

    def _servers_words(self) -> str:
        """Sabre's own message; HTML pages are left out."""
        document = _parse_xml(self.text)
        message = None if document is None else document.findtext(f"{_SABRE}message")
        return line(message or "", 200)


@dataclasses.dataclass(frozen=True, slots=True)
class RemoteFile:
    """A file or folder as the server describes it; None is what it did not tell."""

    is_folder: bool = False
    size: int | None = None
    etag: str | None = None
    sha256: str | None = None
    permissions: str | None = None
    """Letters of ownCloud's scheme: `D` deletable, `N` renamable, `W` writable, `CK` may create inside."""


def read_properties(response: DavResponse) -> RemoteFile | None:
    """The first resource that a PROPFIND found; None when the response tells of none."""
    document = _parse_xml(response.text) if response.status == 207 else None
    if document is None:
        return None
    properties: dict[str, ElementTree.Element] = {}
    for propstat in document.iterfind(f"{_DAV}response[1]/{_DAV}propstat"):
        if " 200 " in f"{propstat.findtext(f'{_DAV}status')} ":
            properties.update((each.tag, each) for each in propstat.iterfind(f"{_DAV}prop/*"))
    kind = properties.get(f"{_DAV}resourcetype")
    size = _text(properties, f"{_DAV}getcontentlength")
    return RemoteFile(
        is_folder=kind is not None and kind.find(f"{_DAV}collection") is not None,
        size=int(size) if size is not None and size.isdecimal() else None,
        etag=_text(properties, f"{_DAV}getetag"),
        sha256=_sha256(_text(properties, f"{_OWNCLOUD}checksums")),
        permissions=_text(properties, f"{_OWNCLOUD}permissions"),
    )


def _text(properties: Mapping[str, ElementTree.Element], tag: str) -> str | None:
    element = properties.get(tag)
    return None if element is None else "".join(element.itertext()).strip() or None


def _sha256(checksums: str | None) -> str | None:
    """Of `SHA1:… MD5:… SHA256:…`."""
    for checksum in (checksums or "").split():
        algorithm, _, digest = checksum.partition(":")
        if algorithm.upper() == "SHA256":
            return digest.lower()
    return None


def _parse_xml(text: str) -> ElementTree.Element | None:
    """The document; None when it is not XML, or declares entities, which is how XML attacks its reader."""
    if "<!DOCTYPE" in text:
        return None
    try:
        return ElementTree.fromstring(text)  # noqa: S314 - it has no entities
    except ElementTree.ParseError:
        return None
