"""How fast this worker may ask, and whether the API is up."""

from __future__ import annotations

import logging
import time
from collections.abc import Awaitable, Callable

from scrapy.exceptions import IgnoreRequest

from tmdb_scrapy.config import Config
from tmdb_scrapy.pacing.breaker import Breaker, BreakerClosed
from tmdb_scrapy.pacing.durations import Durations
from tmdb_scrapy.pacing.governor import Governor, GovernorClosed
from tmdb_scrapy.pacing.pace import Pace

logger = logging.getLogger(__name__)


class Stopping(IgnoreRequest):
    """The worker stops: this request was not sent, its ID stays queued."""


class Pacing:
    """Owns the rate governor and the breaker of this worker. Requests to the API take their `turn` here.

    `delay_s` is Scrapy's DOWNLOAD_DELAY: at least so many seconds between two requests; 0 for no such limit.
    """

    def __init__(self, config: Config, delay_s: float = 0.0) -> None:
        self.config = config
        self.delay_limit_per_s = 1 / delay_s if delay_s > 0 else 0.0
        """Requests a second that DOWNLOAD_DELAY allows; 0 for no such limit."""
        limits = [limit for limit in (config.rate_per_worker, self.delay_limit_per_s) if limit]
        self.governor = Governor(Pace(cap_per_s=min(limits, default=0.0)))
        self.breaker = Breaker(self._probe)
        self.throttled = 0
        """Answers that said 429."""
        self.in_flight = 0
        """Requests on the wire."""
        self.answers = 0
        """Answers of any kind."""
        self.durations = Durations()
        """How long the answers took."""
        self.last_failure = ""
        """Why a request last failed by the server's fault."""
        self._probe_request: Callable[[], Awaitable[bool]] | None = None

    def probe_with(self, probe: Callable[[], Awaitable[bool]]) -> None:
        """What asks the API for something known to be good. Set by the download handler."""
        self._probe_request = probe

    async def _probe(self) -> bool:
        return self._probe_request is None or await self._probe_request()

    async def turn(self) -> None:
        """Wait until a request may be sent. Raises `Stopping` when none may be any more."""
        try:
            await self.breaker.passage()
            await self.governor.acquire()
            while self.breaker.is_open:
                await self.breaker.passage()
                await self.governor.acquire()
        except (BreakerClosed, GovernorClosed):
            raise Stopping("the worker stops") from None

    def failed(self, sent_in: int, why: str) -> bool:
        """A request of the breaker's generation `sent_in` failed by the server's fault. Returns whether that
        may be held against its ID. `why` must not contain the key."""
        was_open = self.breaker.is_open
        chargeable = self.breaker.failed(sent_in)
        self.last_failure = why
        if self.breaker.is_open and not was_open:
            logger.warning(
                "The last failure of %s: %s. No ID fails for an outage", self.config.tmdb_api_url, why
            )
        return chargeable

    @property
    def trouble(self) -> str:
        """Why nothing is sent at present; empty when something is."""
        return f"the API seems to be down: {self.last_failure}" if self.breaker.is_open else ""

    @property
    def silent_until(self) -> float:
        """Until when a Retry-After keeps this worker silent: seconds since the epoch; 0 when it may send."""
        silent_s = self.governor.silent_s
        return time.time() + silent_s if silent_s else 0.0

    def close(self) -> None:
        """Send nothing any more: all who wait get `Stopping`. May be called more than once."""
        self.governor.close()
        self.breaker.close()
