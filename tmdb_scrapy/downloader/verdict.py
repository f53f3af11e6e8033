"""What a response of TMDb's API means for the ID that was asked for.

No I/O: status and body in, verdict out. Codes: https://developer.themoviedb.org/docs/errors
"""

from __future__ import annotations

import enum

import msgspec

from tmdb_scrapy.printable import line

_LONGEST_ERROR_BYTES = 2_000
_MISSING_CODES = {6, 34}
_THROTTLED_CODE = 25
_KEY_CODES = {3, 7, 10, 14, 33, 35, 36}
_REQUEST_CODES = {5, 18, 20, 22, 27}


class Verdict(enum.Enum):
    """What to do with a response."""

    RECORD = "record"
    """Looks like the record: read it."""
    MISSING = "missing"
    """TMDb has no such ID: do not ask again."""
    THROTTLED = "throttled"
    """Too many requests: slow down and ask again; says nothing of the ID."""
    KEY_REFUSED = "key refused"
    """The API key is wrong or suspended: stop."""
    REQUEST_REFUSED = "request refused"
    """What we ask every time is not allowed (such as too many appended parts): stop."""
    UNAVAILABLE = "unavailable"
    """The server's fault: ask again later."""
    BROKEN = "broken"
    """Not what an API sends (HTML, an empty body): ask again later."""


class _ErrorBody(msgspec.Struct):
    status_code: int
    success: bool | None = None
    status_message: str = ""


def judge(status: int, body: bytes) -> Verdict:
    """The meaning of an HTTP status with its decoded body."""
    error = _error_in(body)
    if status == 429 or (error and error.status_code == _THROTTLED_CODE):
        return Verdict.THROTTLED
    if status == 401 or (error and error.status_code in _KEY_CODES):
        return Verdict.KEY_REFUSED
    if status >= 500:
        return Verdict.UNAVAILABLE
    if error and error.status_code in _MISSING_CODES:
        return Verdict.MISSING
    if status in {400, 422} or (error and error.status_code in _REQUEST_CODES):
        return Verdict.REQUEST_REFUSED if error else Verdict.BROKEN
    if error and status == 200:
        return Verdict.UNAVAILABLE
    if status == 200 and body.lstrip()[:1] == b"{":
        return Verdict.RECORD
    return Verdict.BROKEN


def message_in(body: bytes) -> str:
    """TMDb's own words for an error, on one line, or nothing."""
    error = _error_in(body)
    return line(error.status_message) if error else ""


def _error_in(body: bytes) -> _ErrorBody | None:
    if len(body) > _LONGEST_ERROR_BYTES or b'"status_code"' not in body:
        return None
    try:
        error = msgspec.json.decode(body, type=_ErrorBody)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None
    # Some successes carry a status code too, such as 1 of /authentication.
    return None if error.success else error
