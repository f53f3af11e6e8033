"""What came over the wire as a response of Scrapy's."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from scrapy import Request
from scrapy.http import Headers, Response, TextResponse
from scrapy.responsetypes import responsetypes

from tmdb_scrapy.downloader.connections import HttpResponse
from tmdb_scrapy.downloader.verdict import Verdict, judge


class ApiResponse(TextResponse):
    """A response of TMDb's API, which is JSON, or ought to be.

    It carries its `verdict`, so that it is judged once, where it arrives. Its headers take Scrapy's form when
    somebody asks for them.
    """

    attributes = (*TextResponse.attributes, "verdict")
    __slots__ = ("received_headers", "verdict")

    received_headers: Mapping[str, str]
    verdict: Verdict

    def __init__(self, *args: Any, verdict: Verdict | None = None, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.verdict = judge(self.status, self.body) if verdict is None else verdict

    @property
    def headers(self) -> Headers:
        if self._headers is None:
            received = getattr(self, "received_headers", None)
            self._headers = Headers(received)
        return self._headers

    @headers.setter
    def headers(self, value: Any) -> None:
        self._headers = value if isinstance(value, Headers) else Headers(value)


def api_response(request: Request, received: HttpResponse, verdict: Verdict) -> ApiResponse:
    """The response of the API with what it means."""
    response = ApiResponse(
        url=request.url,
        status=received.status,
        body=received.body,
        request=request,
        encoding="utf-8",
        verdict=verdict,
    )
    response.received_headers = received.headers
    return response


def any_response(request: Request, received: HttpResponse) -> Response:
    """The response of any server, in the class that Scrapy has for its content."""
    headers = Headers(received.headers)
    response_class = responsetypes.from_args(headers=headers, url=request.url, body=received.body)
    return response_class(
        url=request.url, status=received.status, headers=headers, body=received.body, request=request
    )


def verdict_of(response: Response) -> Verdict:
    """The verdict that a response carries; one from elsewhere, such as Scrapy's cache, is judged here."""
    return response.verdict if isinstance(response, ApiResponse) else judge(response.status, response.body)
