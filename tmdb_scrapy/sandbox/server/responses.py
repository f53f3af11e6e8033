"""An API response, TMDb's error bodies, and their bytes on the wire."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from http import HTTPStatus

import msgspec
from isal import igzip, isal_zlib

JSON = "application/json;charset=utf-8"
HTML = "text/html;charset=utf-8"
XML = "application/xml"
_CHUNK = 16_384
"""Bytes a chunk; the recorded responses were all chunked."""
_GZIP_FROM = 256
"""Shorter bodies gain nothing."""
_GZIP_LEVEL = 1


@dataclass(frozen=True, slots=True)
class Response:
    """Status, body and what goes into the headers."""

    status: int
    body: bytes
    content_type: str = JSON
    retry_after: str | None = None
    max_age_s: int = 0
    """For Cache-Control; 0 sends no caching headers."""
    location: str = ""
    """Where a redirect leads to."""
    encoding: str = "gzip"
    """What a gzipped body calls itself. Another name than this is used whether or not gzip was asked for."""
    members: int = 1
    """Of a gzipped body. More than one are used whether or not gzip was asked for."""


_ERRORS: dict[int, tuple[int, str]] = {
    7: (401, "Invalid API key: You must be granted a valid key."),
    9: (503, "Service offline: This service is temporarily offline, try again later."),
    10: (401, "Suspended API key: Access to your account has been suspended, contact TMDB."),
    11: (500, "Internal error: Something went wrong, contact TMDB."),
    20: (422, "Invalid date range: Should be a range no longer than 14 days."),
    22: (400, "Invalid page: Pages start at 1 and max at 500. They are expected to be an integer."),
    24: (504, "Your request to the backend server timed out. Try again."),
    25: (429, "Your request count (#) is over the allowed limit of (40)."),
    27: (400, "Too many append to response objects: The maximum number of remote calls is 20."),
    34: (404, "The resource you requested could not be found."),
    43: (502, "Couldn't connect to the backend server."),
}
"""TMDb's documented status codes: HTTP status and message."""

ERROR_CODE_OF_STATUS = {429: 25, 500: 11, 502: 43, 503: 9, 504: 24}

PORTAL_PATH = "/portal"
_PAGE = b"<!DOCTYPE html><html><head><title>%b</title></head><body>%b</body></html>"
_CLOUDFRONT = (
    b'<?xml version="1.0" encoding="UTF-8"?>\n<Error><Code>AccessDenied</Code><Message>The Amazon CloudFront '
    b"distribution is configured to block access from your country.</Message></Error>"
)
PAGES: dict[str, Response] = {
    "html": Response(200, _PAGE % (b"Just a moment...", b"Please wait"), HTML),
    "blocked": Response(403, _PAGE % (b"Access denied", b"This site is blocked in your network"), HTML),
    "cloudfront": Response(403, _CLOUDFRONT, XML),
    "portal": Response(302, b"", HTML, location=f"{PORTAL_PATH}?then=api.themoviedb.org"),
    "login": Response(200, _PAGE % (b"Welcome", b"Please log in to use this network"), HTML),
}
"""What others send in TMDb's place: a provider that blocks, CloudFront, a captive portal, its login page."""


def error(code: int, status: int | None = None, retry_after: str | None = None) -> Response:
    """TMDb's response for one of its status codes; `status` replaces the HTTP status it usually has."""
    usual, message = _ERRORS[code]
    body = {"success": False, "status_code": code, "status_message": message}
    return Response(status or usual, msgspec.json.encode(body), retry_after=retry_after)


def wire_bytes(response: Response, gzip: bool, content_length: bool = False) -> bytes:
    """Header and body as sent: gzipped when allowed, in chunks unless `content_length`."""
    body = response.body
    head = _first_lines(response.status, response.content_type)
    if response.max_age_s:
        etag = b'W/"%08x-%x"' % (isal_zlib.crc32(body), len(body))
        head += b"Cache-Control: public, max-age=%d\r\nETag: %b\r\n" % (response.max_age_s, etag)
    if response.retry_after is not None:
        head += b"Retry-After: %b\r\n" % response.retry_after.encode()
    if response.location:
        head += b"Location: %b\r\n" % response.location.encode()
    odd = response.encoding != "gzip" or response.members > 1
    if odd or (gzip and len(body) >= _GZIP_FROM):
        body = _gzipped(body, response.members)
        head += b"Content-Encoding: %b\r\n" % response.encoding.encode()
    if content_length:
        return b"%bContent-Length: %d\r\n\r\n%b" % (head, len(body), body)
    return b"%bTransfer-Encoding: chunked\r\n\r\n%b" % (head, _chunked(body))


@lru_cache(maxsize=64)
def _first_lines(status: int, content_type: str) -> bytes:
    lines = f"HTTP/1.1 {status} {_reason(status)}\r\nContent-Type: {content_type}\r\n"
    return f"{lines}Server: openresty\r\nVary: Accept-Encoding\r\n".encode()


def _gzipped(body: bytes, members: int) -> bytes:
    if members == 1:
        return igzip.compress(body, _GZIP_LEVEL)
    length = -(-len(body) // members)
    pieces = (body[start : start + length] for start in range(0, len(body), length))
    return b"".join(igzip.compress(piece, _GZIP_LEVEL) for piece in pieces)


def _chunked(body: bytes) -> bytes:
    if len(body) <= _CHUNK:
        return b"%x\r\n%b\r\n0\r\n\r\n" % (len(body), body) if body else b"0\r\n\r\n"
    pieces = [body[start : start + _CHUNK] for start in range(0, len(body), _CHUNK)]
    return b"".join(b"%x\r\n%b\r\n" % (len(piece), piece) for piece in pieces) + b"0\r\n\r\n"


def _reason(status: int) -> str:
    try:
        return HTTPStatus(status).phrase
    except ValueError:
        return "Unknown"
