"""Whether requests reach the API at all: the evidence that a missing ID needs, and what stands in the way.

TMDb says 404 to a deleted ID, and in the same words to every request whose URL is wrong. So an ID is missing
only while something that is known to be there is there.
"""

from __future__ import annotations

import asyncio
import contextlib
import ipaddress
import logging
import time
from collections.abc import Callable
from urllib.parse import urlsplit

from scrapy import Request
from scrapy.exceptions import (
    CannotResolveHostError,
    DownloadConnectionRefusedError,
    DownloadFailedError,
    DownloadTimeoutError,
)

from tmdb_scrapy.downloader import obstacle as obstacles
from tmdb_scrapy.downloader.connections import HttpResponse
from tmdb_scrapy.downloader.obstacle import GivenUp, Hold, Obstacle
from tmdb_scrapy.downloader.verdict import Verdict, judge
from tmdb_scrapy.downloader.wire import ProxyRefusedError, UntrustedError, Wire
from tmdb_scrapy.pacing.pacing import Pacing, Stopping

logger = logging.getLogger(__name__)

MISSING_AHEAD = 20
"""By how many missing IDs may outnumber records before the evidence is renewed. With three in ten deleted, it
is renewed once in ten million requests; where all are missing, every twentieth time."""

PROBE_TIMEOUT_S = 10.0
PROBE_GAP_S = 1.0
NO_SIGN_OF_LIFE = frozenset({None, Verdict.UNAVAILABLE, Verdict.BROKEN, Verdict.MISSING})
BLOCKED = frozenset({None, Verdict.UNAVAILABLE, Verdict.BROKEN})
NO_RESPONSE = (
    CannotResolveHostError,
    DownloadConnectionRefusedError,
    DownloadFailedError,
    DownloadTimeoutError,
)


class Reach:
    """Knows whether this worker's requests reach the API, and gives up when they cannot.

    A worker that gives up sends nothing more: every request gets `GivenUp` where it waits for its turn.
    """

    def __init__(self, wire: Wire, pacing: Pacing, now: Callable[[], float] = time.monotonic) -> None:
        """`now` is a clock in seconds."""
        self._wire = wire
        self._pacing = pacing
        self._now = now
        self._hold = Hold()
        self._host = urlsplit(wire.api).hostname or ""
        self._blocked_url = ""
        """What a page or a redirect came for, since the API itself responded last."""
        self._record_url = ""
        """What a record came for."""
        self._proven = False
        self._missing_ahead = 0
        self._proving = asyncio.Lock()
        self._gave_up_at: Obstacle | None = None

    async def turn(self) -> None:
        """Wait until a request may be sent. Raises `Stopping` when none may be any more, and `GivenUp`."""
        try:
            await self._pacing.turn()
        except Stopping:
            if self._gave_up_at is not None:
                raise GivenUp(self._gave_up_at) from None
            raise

    def passed(self, url: str, verdict: Verdict) -> None:
        """The request for `url` got a response of the API itself."""
        self._clear()
        if verdict is Verdict.RECORD:
            self._record_url = url
            self._missing_ahead = max(0, self._missing_ahead - 1)

    def failed_by_response(self, url: str, received: HttpResponse) -> Obstacle | None:
        """A response that is not the API's: what it says of the way there."""
        location = received.headers.get("location", "")
        obstacle = obstacles.in_response(self._host, received.status, location, received.body)
        if obstacle is not None:
            self._blocked_url = url
        return self._met(obstacle)

    def failed_by_error(self, error: Exception) -> Obstacle | None:
        """A request without a response: what that says of the way there."""
        if isinstance(error, UntrustedError):
            return self._met(obstacles.untrusted(self._host, str(error)))
        if isinstance(error, ProxyRefusedError):
            return self._met(obstacles.proxy_refused(self._host, str(error)))
        if isinstance(error, CannotResolveHostError):
            return self._met(obstacles.not_found(self._host, str(error)))
        return None

    async def prove(self) -> None:
        """Before an ID is called missing: know that something else is there. Raises as `turn` does."""
        self._missing_ahead += 1
        while self._in_doubt():
            async with self._proving:
                if self._in_doubt():
                    await self.turn()
                    await self._ask_for_what_is_there()
            if self._in_doubt() and self._gave_up_at is None:
                await asyncio.sleep(PROBE_GAP_S)

    def _in_doubt(self) -> bool:
        return not self._proven or self._missing_ahead > MISSING_AHEAD

    async def probe(self) -> bool:
        """Whether the API shows a sign of life."""
        if await self._ask_for_what_is_there() in NO_SIGN_OF_LIFE:
            return False
        # Who blocks records may spare the rest. So what was blocked has to come too, or a record that came
        # before: then the page is that ID's own.
        if self._blocked_url and await self._ask(self._record_url or self._blocked_url) in BLOCKED:
            return False
        self._clear()
        return True

    async def _ask_for_what_is_there(self) -> Verdict | None:
        """What the API says when it is asked for something that is known to be good; None for nothing."""
        # /authentication is cached nowhere, so it tells about TMDb itself and not about the CDN.
        verdict = await self._ask(f"{self._wire.api}authentication")
        if verdict is Verdict.RECORD:
            self._proven, self._missing_ahead = True, 0
        elif verdict is Verdict.MISSING:
            self._met(obstacles.wrong_url(self._wire.api.rstrip("/")))
        elif verdict is Verdict.KEY_REFUSED:
            self._met(obstacles.key_refused())
        return verdict

    async def _ask(self, url: str) -> Verdict | None:
        try:
            received = await self._wire.send(Request(url, meta={"download_timeout": PROBE_TIMEOUT_S}))
        except NO_RESPONSE as error:
            logger.debug("The probe of the API failed: %s", error)
            if self.failed_by_error(error) is None and isinstance(error, DownloadConnectionRefusedError):
                await self._look_for_diversion()
            return None
        verdict = judge(received.status, received.body)
        if verdict is Verdict.UNAVAILABLE or verdict is Verdict.BROKEN:
            self.failed_by_response(url, received)
        return verdict

    def _clear(self) -> None:
        self._hold.passed()
        self._blocked_url = ""

    def _met(self, obstacle: Obstacle | None) -> Obstacle | None:
        if obstacle is not None:
            if self._pacing.breaker.is_open and self._pacing.last_failure != obstacle.sentence:
                logger.warning("Requests still wait: %s", obstacle.sentence)
            self._pacing.last_failure = obstacle.sentence
            if self._hold.too_long(obstacle, self._now()):
                self._gave_up_at = obstacle
                self._pacing.close()
        return obstacle

    async def _look_for_diversion(self) -> None:
        """No connection: TMDb's own names are at public addresses, or somebody diverts them."""
        if self._host not in obstacles.TMDB_HOSTS or self._wire.proxied:
            return
        with contextlib.suppress(OSError):
            found = await asyncio.get_running_loop().getaddrinfo(self._host, 443)
            addresses = sorted({str(address[0]) for *_, address in found})
            if not any(ipaddress.ip_address(address).is_global for address in addresses):
                self._met(obstacles.diverted(self._host, addresses[0]))
