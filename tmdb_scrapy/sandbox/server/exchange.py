"""One API request, from arrival to its last byte: limits, key, latency, fault, response."""

from __future__ import annotations

import asyncio
import codecs
import random
import time
from collections.abc import Mapping
from dataclasses import dataclass, replace

from aiohttp import web

from tmdb_scrapy.sandbox.server.api import Api, Target, appended_names, parse_path, parse_query
from tmdb_scrapy.sandbox.server.cache import ByteCache
from tmdb_scrapy.sandbox.server.calendar import Calendar
from tmdb_scrapy.sandbox.server.connections import address, reset
from tmdb_scrapy.sandbox.server.faults import LUCKY, POISON, Fate, FaultPlan
from tmdb_scrapy.sandbox.server.journal import Entry, Journal
from tmdb_scrapy.sandbox.server.limits import RateLimiter
from tmdb_scrapy.sandbox.server.responses import ERROR_CODE_OF_STATUS, PAGES, Response, error, wire_bytes
from tmdb_scrapy.sandbox.server.settings import Settings
from tmdb_scrapy.sandbox.server.stats import Stats

_CACHE_BYTES = 64 << 20
_HANG_MS = 60_000
_DELIVERY_S = 0.01
_SLOW_FACTOR = 10
_SLOW_FROM_MS = 50
"""A slow response takes ten times the latency, or ten times this if the latency is less."""


@dataclass(frozen=True, slots=True)
class _Question:
    """A request, taken apart."""

    target: Target
    query: Mapping[str, str]
    bearer: bool
    gzip: bool


class Exchanges:
    """Serves API requests by the present settings, and accounts for each in the journal and the stats."""

    def __init__(
        self,
        calendar: Calendar,
        settings: Settings,
        seed: int,
        journal: Journal,
        stats: Stats,
        keys: frozenset[str] = frozenset(),
        suspended: frozenset[str] = frozenset(),
    ) -> None:
        self._calendar = calendar
        self._api = Api(calendar, seed, lambda: self.settings, keys, suspended)
        self._journal = journal
        self._stats = stats
        self._cache = ByteCache(_CACHE_BYTES)
        self._jitter = random.Random(seed)
        self._per_ip = RateLimiter()
        self._per_key = RateLimiter()
        self._faults = FaultPlan(seed, {})
        self._refusals = 0
        self.apply(settings)

    def apply(self, settings: Settings) -> None:
        """Behave by these settings from now on."""
        self.settings = settings
        self._per_ip.configure(settings.limit_per_ip, settings.limit_burst, settings.limit_kind)
        self._per_key.configure(settings.limit_per_key, settings.limit_burst, settings.limit_kind)
        self._faults.configure(
            settings.faults, frozenset(settings.poison), settings.without_appended, settings.broken_appended
        )
        self._calendar.set(settings.day, settings.today)

    async def serve(self, request: web.BaseRequest, path: str, query_text: str) -> bool:
        """Respond to a request for a path; returns whether the connection can go on."""
        authorization = request.headers.get("Authorization", "")
        question = _Question(
            parse_path(path),
            parse_query(query_text),
            authorization.startswith("Bearer "),
            "gzip" in request.headers.get("Accept-Encoding", ""),
        )
        ip, port = address(request.transport)
        entry = Entry(
            t=time.time(),
            ip=ip,
            port=port,
            key=self._api.key(question.query, authorization),
            kind=question.target.name,
            id=question.target.record_id,
            in_flight=self._stats.arrived(),
        )
        try:
            return await self._converse(request, entry, question)
        finally:
            entry.end = time.time()
            self._stats.ended(entry)
            self._journal.add(entry)

    async def _converse(self, request: web.BaseRequest, entry: Entry, question: _Question) -> bool:
        target, fate = question.target, LUCKY
        refusal = self._refusal(entry, question)
        if entry.fault is None and refusal is None and target.record_id:
            fate = self._faults.choose(target.kind, target.record_id)
            entry.fault = fate.fault
        await self._delay(entry.fault)
        if refusal is not None:
            return await _send(request, entry, wire_bytes(refusal, question.gzip))
        if entry.fault is None:
            return await _send(request, entry, await self._wire(question, fate))
        return await self._fail(request, entry, question, fate)

    def _refusal(self, entry: Entry, question: _Question) -> Response | None:
        """An outage, a rate limit or a bad key, in the order in which they bite."""
        down = self.settings.down
        if down:
            entry.fault = "down"
            return outage(down)
        now = time.monotonic()
        if not (self._per_ip.allows(entry.ip, now) and self._per_key.allows(entry.key, now)):
            entry.fault = "limit"
            self._refusals += 1
            return self._too_many(says_when=self._refusals % self.settings.retry_after_every == 0)
        self._per_ip.take(entry.ip, now)
        self._per_key.take(entry.key, now)
        return self._api.refusal(entry.key, question.bearer) if question.target.name else None

    def _too_many(self, status: int = 429, says_when: bool = True) -> Response:
        retry_after = self.settings.retry_after
        return error(25, status, str(retry_after) if says_when and retry_after != "none" else None)

    async def _delay(self, fault: str | None) -> None:
        """Let the latency pass."""
        settings = self.settings
        delay_ms = settings.latency_ms
        if settings.latency_jitter_ms:
            delay_ms += self._jitter.random() * settings.latency_jitter_ms
        if fault == "slow":
            delay_ms = _SLOW_FACTOR * max(delay_ms, _SLOW_FROM_MS)
        elif fault == "hang":
            delay_ms = _HANG_MS
        if delay_ms:
            await asyncio.sleep(delay_ms / 1000)

    async def _wire(self, question: _Question, fate: Fate) -> bytes:
        """The response without a fault of its own; those about records are cached, since a crawl may ask
        again."""
        target = question.target
        if not target.record_id:
            return wire_bytes(await self._other(question), question.gzip)
        if fate.without or fate.broken:
            return wire_bytes(self._record(question, fate), question.gzip)
        appended = question.query.get("append_to_response")
        key = (target, appended, question.gzip, self.settings.day, self.settings.stale_records)
        wire = self._cache.get(key)
        if wire is None:
            wire = wire_bytes(self._record(question, fate), question.gzip)
            self._cache.put(key, wire)
        return wire

    async def _other(self, question: _Question) -> Response:
        if question.target.name == "discover":
            return await asyncio.to_thread(self._api.respond, question.target, question.query)
        return self._api.respond(question.target, question.query)

    def _record(self, question: _Question, fate: Fate) -> Response:
        return self._api.record(question.target, appended_names(question.query), fate.without, fate.broken)

    async def _fail(self, request: web.BaseRequest, entry: Entry, question: _Question, fate: Fate) -> bool:
        """Do what the entry's fault says."""
        fault = entry.fault or ""
        if fault in {"down", "hang"}:
            reset(request.transport)
            return False
        response = self._record(question, fate)
        if fault in {"reset", "truncate"}:
            return await self._cut(request, entry, response, question.gzip)
        return await _send(request, entry, wire_bytes(self._spoilt(response, fault), question.gzip))

    def _spoilt(self, response: Response, fault: str) -> Response:
        """What is sent whole, in place of a response."""
        match fault:
            case "slow":
                return response
            case "malformed":
                return Response(200, response.body[: len(response.body) * 2 // 3])
            case "bom":
                return replace(response, body=codecs.BOM_UTF8 + response.body)
            case "x-gzip" | "GZIP":
                return replace(response, encoding=fault)
            case "two-members":
                return replace(response, members=2)
            case "code25":
                return self._too_many(200)
            case "429":
                return self._too_many()
            case _ if fault in PAGES:
                return PAGES[fault]
            case _:
                return error(ERROR_CODE_OF_STATUS[500 if fault == POISON else int(fault)])

    async def _cut(self, request: web.BaseRequest, entry: Entry, response: Response, gzip: bool) -> bool:
        """Half a response, then the end; one variant of a reset comes before the first byte."""
        variant = self._faults.variant(entry.id)
        wire = wire_bytes(response, gzip, content_length=bool(variant))
        if entry.fault == "truncate":
            body_at = wire.index(b"\r\n\r\n") + 4
            await _send(request, entry, wire[: (body_at + len(wire)) // 2])
            return False
        if variant:
            await _send(request, entry, wire[: len(wire) // 2])
            # A reset drops what the kernel has not delivered yet: let the half reach the client first.
            await asyncio.sleep(_DELIVERY_S)
        reset(request.transport)
        return False


def outage(down: bool | str) -> Response | None:
    """What is sent while the API is down in this way; None when the connection is reset."""
    if down is True:
        return None
    return error(9) if down == "503" else PAGES[str(down)]


async def _send(request: web.BaseRequest, entry: Entry, wire: bytes) -> bool:
    """Write and wait until the client keeps up; returns whether the connection can go on."""
    transport = request.transport
    if transport is None or transport.is_closing():
        return False
    transport.write(wire)
    entry.status = int(wire[9:12])
    entry.bytes = len(wire)
    await request.writer.drain()
    return request.keep_alive
