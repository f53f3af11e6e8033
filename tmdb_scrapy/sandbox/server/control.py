"""What only the machine that runs the sandbox may ask: settings, counts and the truth."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import msgspec
from aiohttp import web

from tmdb_scrapy.kinds import FIRST, KINDS
from tmdb_scrapy.sandbox.server.api import parse_query
from tmdb_scrapy.sandbox.server.calendar import Calendar
from tmdb_scrapy.sandbox.server.connections import address
from tmdb_scrapy.sandbox.server.exchange import Exchanges
from tmdb_scrapy.sandbox.server.responses import Response, error

_LINES = "application/jsonl"


class Control:
    """`settings` (POST changes them), `stats`, and `expected?kind=KIND&day=N`: how each exported ID ends."""

    def __init__(
        self, exchanges: Exchanges, calendar: Calendar, summary: Callable[[], dict[str, object]]
    ) -> None:
        self._exchanges = exchanges
        self._calendar = calendar
        self._summary = summary

    async def respond(self, request: web.BaseRequest, path: str, query: str) -> Response:
        if not _is_local(request):
            return Response(403, b'{"error":"only from the machine that runs the sandbox"}')
        match path:
            case "settings":
                return await self._settings(request)
            case "stats":
                return Response(200, msgspec.json.encode(self._summary()))
            case "expected":
                return self._expected(dict(parse_query(query)))
            case _:
                return error(34)

    async def _settings(self, request: web.BaseRequest) -> Response:
        if request.method == "POST":
            try:
                patch = msgspec.json.decode(await request.read(), type=dict[str, Any])
                self._exchanges.apply(self._exchanges.settings.changed(patch))
            except msgspec.MsgspecError as problem:
                return _refused(str(problem))
        return Response(200, msgspec.json.encode(self._exchanges.settings))

    def _expected(self, query: dict[str, str]) -> Response:
        kind, day = query.get("kind", FIRST), query.get("day", str(self._calendar.day))
        if kind not in KINDS:
            return _refused(f"no kind {kind!r}; there are {', '.join(KINDS)}")
        if not (day.isascii() and day.isdigit()):
            return _refused(f"day {day!r}: expected a whole number from 0")
        expected = self._calendar.catalogue(int(day)).expected(kind)
        lines = [{"id": number, "outcome": outcome} for number, outcome in expected]
        return Response(200, msgspec.json.Encoder().encode_lines(lines), _LINES)


def _refused(why: str) -> Response:
    return Response(400, msgspec.json.encode({"error": why}))


def _is_local(request: web.BaseRequest) -> bool:
    ip, _ = address(request.transport)
    own = request.transport.get_extra_info("sockname") if request.transport else None
    return ip.startswith("127.") or ip == "::1" or bool(own and ip == own[0])
