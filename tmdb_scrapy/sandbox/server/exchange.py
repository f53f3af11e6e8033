"""One API request, from arrival to its last byte: limits, key, latency, fault, answer."""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

from aiohttp import web

from tmdb_scrapy.sandbox.server.api import Api, Target, parse_path, parse_query
from tmdb_scrapy.sandbox.server.cache import ByteCache
from tmdb_scrapy.sandbox.server.connections import address, reset
from tmdb_scrapy.sandbox.server.faults import POISON, FaultPlan
from tmdb_scrapy.sandbox.server.journal import Entry, Journal
from tmdb_scrapy.sandbox.server.limits import RateLimiter
from tmdb_scrapy.sandbox.server.responses import ERROR_CODE_OF_STATUS, Response, error, wire_bytes
from tmdb_scrapy.sandbox.server.settings import Settings
from tmdb_scrapy.sandbox.server.stats import Stats

_CACHE_BYTES = 64 << 20
_HANG_MS = 60_000
_DELIVERY_S = 0.01
_SLOW_FACTOR = 10
_SLOW_FROM_MS = 50
"""A slow answer takes ten times the latency, or ten times this if the latency is less."""
_HTML = b"<!DOCTYPE html><html><head><title>Just a moment...</title></head><body>Please wait</body></html>"


@dataclass(frozen=True, slots=True)
class _Question:
    """A request, taken apart."""

    target: Target
    query: Mapping[str, str]
    bearer: bool
    gzip: bool


class Exchanges:
    """Serves API requests by the present settings, and accounts for each in the journal and the stats."""

    def __init__(self, api: Api, settings: Settings, seed: int, journal: Journal, stats: Stats) -> None:
        self._api = api
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
        self._faults.configure(settings.faults, frozenset(settings.poison))

    async def serve(self, request: web.BaseRequest, path: str, query_text: str) -> bool:
        """Response a request for a path under `/3/`; returns whether the connection can go on."""
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
        target = question.target
        refusal = self._refusal(entry, question.bearer)
        if entry.fault is None and refusal is None and target.record_kind and target.record_id:
            entry.fault = self._faults.choose(target.record_kind, target.record_id)
        await self._delay(entry.fault)
        if refusal is not None:
            return await _send(request, entry, wire_bytes(refusal, question.gzip))
        if entry.fault is None:
            return await _send(request, entry, self._wire(question))
        return await self._fail(request, entry, question)

    def _refusal(self, entry: Entry, bearer: bool) -> Response | None:
        """An outage, a rate limit or a bad key, in the order in which they bite."""
        down = self.settings.down
        if down:
            entry.fault = "down"
            return error(9) if down == "503" else None
        now = time.monotonic()
        if not (self._per_ip.allows(entry.ip, now) and self._per_key.allows(entry.key, now)):
            entry.fault = "limit"
            self._refusals += 1
            return self._too_many(says_when=self._refusals % self.settings.retry_after_every == 0)
        self._per_ip.take(entry.ip, now)
        self._per_key.take(entry.key, now)
        return self._api.refusal(entry.key, bearer)

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

    def _answer(self, question: _Question) -> Response:
        return self._api.answer(question.target, question.query, datetime.now(UTC).date())

    def _wire(self, question: _Question) -> bytes:
        """The faultless answer; those about records are cached, since a crawl may ask again."""
        target = question.target
        if not target.record_id:
            return wire_bytes(self._answer(question), question.gzip)
        key = (target, question.query.get("append_to_response"), question.gzip)
        wire = self._cache.get(key)
        if wire is None:
            wire = wire_bytes(self._answer(question), question.gzip)
            self._cache.put(key, wire)
        return wire

    async def _fail(self, request: web.BaseRequest, entry: Entry, question: _Question) -> bool:
        """Do what the entry's fault says."""
        fault = entry.fault
        if fault in {"down", "hang"}:
            reset(request.transport)
            return False
        answer = self._answer(question)
        if fault in {"reset", "truncate"}:
            return await self._cut(request, entry, answer, question.gzip)
        match fault:
            case "slow":
                pass
            case "malformed":
                answer = Response(200, answer.body[: len(answer.body) * 2 // 3])
            case "html":
                answer = Response(200, _HTML, "text/html;charset=utf-8")
            case "code25":
                answer = self._too_many(200)
            case "429":
                answer = self._too_many()
            case _:
                answer = error(ERROR_CODE_OF_STATUS[500 if fault == POISON else int(fault or 500)])
        return await _send(request, entry, wire_bytes(answer, question.gzip))

    async def _cut(self, request: web.BaseRequest, entry: Entry, answer: Response, gzip: bool) -> bool:
        """Half an answer, then the end; one variant of a reset comes before the first byte."""
        variant = self._faults.variant(entry.id)
        wire = wire_bytes(answer, gzip, content_length=bool(variant))
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
