"""What a response carries, whoever made it."""

from __future__ import annotations

import pytest
from scrapy import Request
from scrapy.http import HtmlResponse, Response, TextResponse

from tmdb_scrapy.downloader.connections import HttpResponse
from tmdb_scrapy.downloader.responses import ApiResponse, api_response, verdict_of
from tmdb_scrapy.downloader.verdict import Verdict

REQUEST = Request("http://127.0.0.1/3/movie/7")
RECEIVED = HttpResponse(200, {"etag": "x"}, b'{"id": 7}')


def test_the_verdict_of_the_handler_is_not_reached_again() -> None:
    response = api_response(REQUEST, RECEIVED, Verdict.UNAVAILABLE)
    assert verdict_of(response) is Verdict.UNAVAILABLE


def test_a_middleware_that_replaces_something_keeps_the_verdict_and_the_headers() -> None:
    response = api_response(REQUEST, RECEIVED, Verdict.UNAVAILABLE).replace(flags=["seen"])
    assert isinstance(response, ApiResponse)
    assert verdict_of(response) is Verdict.UNAVAILABLE
    assert response.headers["ETag"] == b"x"


@pytest.mark.parametrize("response_class", [Response, TextResponse, HtmlResponse, ApiResponse])
def test_a_response_that_the_handler_did_not_make_is_judged(response_class: type[Response]) -> None:
    assert verdict_of(response_class("http://x/", body=b'{"id": 7}')) is Verdict.RECORD
    assert verdict_of(response_class("http://x/", status=500)) is Verdict.UNAVAILABLE
