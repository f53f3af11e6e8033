"""What a response means, whatever it is."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tmdb_scrapy.downloader.verdict import Verdict, judge, message_in


def error(code: int, message: str = "Something.", **more: Any) -> bytes:
    return json.dumps({"success": False, "status_code": code, "status_message": message, **more}).encode()


RECORD = b'{"id": 7, "title": "Seven"}'
NOT_UTF_8 = b'{"status_code": 34, "status_message": "\xff"}'
TOO_DEEP = b'{"status_code": 34, "more": ' + b"[" * 1_900
HTML = b"<html><body>Bad gateway</body></html>"


@pytest.mark.parametrize(
    ("status", "body", "verdict"),
    [
        (200, RECORD, Verdict.RECORD),
        (200, b' \n{"id": 7}', Verdict.RECORD),
        (200, b'{"id": 7', Verdict.RECORD),  # whether it is whole is for the reader of records
        (200, b'{"id": 7, "overview": "the \\"status_code\\" of a film"}', Verdict.RECORD),
        (200, HTML, Verdict.BROKEN),
        (200, b"", Verdict.BROKEN),
        (200, b"[]", Verdict.BROKEN),
        (200, b"null", Verdict.BROKEN),
        (204, b"", Verdict.BROKEN),
        (301, b"", Verdict.BROKEN),
        (404, error(34, "The resource you requested could not be found."), Verdict.MISSING),
        (404, error(6, "Invalid id: The pre-requisite id is invalid or not found."), Verdict.MISSING),
        (200, error(34), Verdict.MISSING),
        # A 404 that is not TMDb's own says nothing of the ID: a proxy, or a wrong TMDB_API_URL.
        (404, HTML, Verdict.BROKEN),
        (404, b"", Verdict.BROKEN),
        (401, error(7, "Invalid API key: You must be granted a valid key."), Verdict.KEY_REFUSED),
        (401, error(3), Verdict.KEY_REFUSED),
        (401, b"", Verdict.KEY_REFUSED),
        (401, HTML, Verdict.KEY_REFUSED),
        (403, error(10, "Suspended API key."), Verdict.KEY_REFUSED),
        (403, HTML, Verdict.BROKEN),
        (429, error(25, "Your request count (41) is over the allowed limit of 40."), Verdict.THROTTLED),
        (429, b"", Verdict.THROTTLED),
        (429, HTML, Verdict.THROTTLED),
        (400, error(25), Verdict.THROTTLED),
        (400, error(20, "Too many append_to_response objects."), Verdict.REQUEST_REFUSED),
        (400, error(27), Verdict.REQUEST_REFUSED),
        (422, error(5, "Invalid parameters."), Verdict.REQUEST_REFUSED),
        (400, HTML, Verdict.BROKEN),
        (500, error(11, "Internal error."), Verdict.UNAVAILABLE),
        (500, b"", Verdict.UNAVAILABLE),
        (502, HTML, Verdict.UNAVAILABLE),
        (503, error(9, "Service offline."), Verdict.UNAVAILABLE),
        (503, error(46, "The API is undergoing maintenance."), Verdict.UNAVAILABLE),
        (504, error(24, "Timeout."), Verdict.UNAVAILABLE),
        (504, error(34), Verdict.UNAVAILABLE),
        (599, RECORD, Verdict.UNAVAILABLE),
        (200, error(11), Verdict.UNAVAILABLE),
        (429, NOT_UTF_8, Verdict.THROTTLED),
        (404, NOT_UTF_8, Verdict.BROKEN),
        (429, TOO_DEEP, Verdict.THROTTLED),
        (404, TOO_DEEP, Verdict.BROKEN),
    ],
)
def test_verdict(status: int, body: bytes, verdict: Verdict) -> None:
    assert judge(status, body) is verdict


@given(
    st.integers(100, 599),
    st.binary(max_size=60)
    | st.builds(error, st.integers(-1, 60), st.text())
    | st.binary(max_size=60).map(lambda noise: b'{"status_code": 34, "status_message": "' + noise),
)
def test_every_response_has_a_verdict(status: int, body: bytes) -> None:
    verdict = judge(status, body)
    assert isinstance(verdict, Verdict)
    if verdict is Verdict.RECORD:
        assert status == 200
    if verdict is Verdict.MISSING:
        assert json.loads(body)["status_code"] in {6, 34}


@pytest.mark.parametrize(
    ("body", "message"),
    [
        (error(7, "Invalid API key."), "Invalid API key."),
        (error(7, "Invalid\x1b]0;key\x07\r\nanew"), "Invalid\ufffd]0;key\ufffd anew"),
        (b'{"status_code": 7}', ""),
        (b'{"status_code": "7", "status_message": "odd"}', ""),
        (NOT_UTF_8, ""),
        (TOO_DEEP, ""),
        (HTML, ""),
        (b"", ""),
        (RECORD, ""),
    ],
)
def test_the_words_of_an_error(body: bytes, message: str) -> None:
    assert message_in(body) == message
