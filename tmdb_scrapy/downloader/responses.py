"""An answer from the wire as a response of Scrapy's."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from scrapy import Request
from scrapy.http import Headers, Response, TextResponse
from scrapy.responsetypes import responsetypes

from tmdb_scrapy.downloader.http import Answer


class ApiResponse(TextResponse):
    """A response whose headers take Scrapy's form when somebody asks for them."""

    __slots__ = ("received_headers",)

    received_headers: Mapping[str, str]

    @property
    def headers(self) -> Headers:
        if self._headers is None:
            self._headers = Headers(getattr(self, "received_headers", None))
        return self._headers

    @headers.setter
    def headers(self, value: Any) -> None:
        self._headers = value if isinstance(value, Headers) else Headers(value)


def api_response(request: Request, answer: Answer) -> Response:
    """The API's answer, which is JSON, or ought to be."""
    response = ApiResponse(
        url=request.url, status=answer.status, body=answer.body, request=request, encoding="utf-8"
    )
    response.received_headers = answer.headers
    return response


def any_response(request: Request, answer: Answer) -> Response:
    """The answer of any server, in the class that Scrapy has for its content."""
    headers = Headers(answer.headers)
    response_class = responsetypes.from_args(headers=headers, url=request.url, body=answer.body)
    return response_class(
        url=request.url, status=answer.status, headers=headers, body=answer.body, request=request
    )
