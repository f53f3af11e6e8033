"""An API answer, TMDb's error bodies, and their bytes on the wire."""

from __future__ import annotations

from dataclasses import dataclass
from http import HTTPStatus

import msgspec
from isal import igzip, isal_zlib

JSON = "application/json;charset=utf-8"
_CHUNK = 16_384
"""Bytes a chunk; the recorded responses were all chunked."""
_GZIP_FROM = 256
"""Shorter bodies gain nothing."""


@dataclass(frozen=True, slots=True)
class Response:
    """Status, body and what goes into the headers."""

    status: int
    body: bytes
    content_type: str = JSON
    retry_after: str | None = None
    max_age_s: int = 0
    """For Cache-Control; 0 sends no caching headers."""


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


def error(code: int, status: int | None = None, retry_after: str | None = None) -> Response:
    """TMDb's answer for one of its status codes; `status` replaces the HTTP status it usually has."""
    usual, message = _ERRORS[code]
    body = {"success": False, "status_code": code, "status_message": message}
    return Response(status or usual, msgspec.json.encode(body), retry_after=retry_after)


def wire_bytes(answer: Response, gzip: bool, content_length: bool = False) -> bytes:
    """Header and body as sent: gzipped when allowed, in chunks unless `content_length`."""
    body = answer.body
    head = [f"HTTP/1.1 {answer.status} {_reason(answer.status)}", f"Content-Type: {answer.content_type}"]
    head.append("Server: openresty")
    head.append("Vary: Accept-Encoding")
    if answer.max_age_s:
        head.append(f"Cache-Control: public, max-age={answer.max_age_s}")
        head.append(f'ETag: W/"{isal_zlib.crc32(body):08x}-{len(body):x}"')
    if answer.retry_after is not None:
        head.append(f"Retry-After: {answer.retry_after}")
    if gzip and len(body) >= _GZIP_FROM:
        body = igzip.compress(body, 1)
        head.append("Content-Encoding: gzip")
    if content_length:
        head.append(f"Content-Length: {len(body)}")
    else:
        head.append("Transfer-Encoding: chunked")
        body = _chunked(body)
    return "\r\n".join(head).encode() + b"\r\n\r\n" + body


def _chunked(body: bytes) -> bytes:
    pieces = [body[start : start + _CHUNK] for start in range(0, len(body), _CHUNK)]
    return b"".join(b"%x\r\n%b\r\n" % (len(piece), piece) for piece in pieces) + b"0\r\n\r\n"


def _reason(status: int) -> str:
    try:
        return HTTPStatus(status).phrase
    except ValueError:
        return "Unknown"
