"""Stops the crawl while the API is down, so that an outage costs time but no IDs."""

from __future__ import annotations

import asyncio
import logging
import random
from collections import deque
from collections.abc import Awaitable, Callable

logger = logging.getLogger(__name__)

REMEMBERED = 20
"""How many of the last results decide."""

FAILED_SHARE = 0.5
IN_A_ROW = 8
"""Open when at least this share failed and this many failed in a row: a total outage opens it with the tenth
failure, less than a round of twenty threads. With one fault in ten, both come together about three times in
10**9 requests; five in a row would do so once in 10**7, a likely event in a crawl."""

IN_A_ROW_SLOWLY = 5
NO_SUCCESS_FOR_S = 5.0
"""Open, too, when this many failed in a row and the first of them was this long ago. For a single thread, and
for the last IDs of a crawl, whose attempts would be used up before a larger sample was complete."""

FIRST_PROBE_S = 0.5
LONGEST_PROBE_GAP_S = 15.0
PROBE_TIMEOUT_S = 30.0
JITTER = 0.2


class BreakerClosed(Exception):
    """The breaker was shut down with `Breaker.close()`: nothing more is to be sent."""

    def __init__(self) -> None:
        super().__init__("the circuit breaker is shut down: the crawl is stopping and sends no more requests")


class Breaker:
    """Decides from the results of ordinary requests whether the API is down, and if so holds requests back.

        await breaker.passage()
        ... send; then `breaker.succeeded()` or `charge = breaker.failed()`

    Failures are 5xx answers, timeouts and lost connections. Whatever proves that the API works (4xx, and a
    429 too) counts as a success or is not reported.

    While it is open, `probe` is awaited again and again, with growing gaps. It should send one request that
    is known to be good and return whether it worked; it must not go through this breaker, and an exception
    counts as a failed probe. The first probe that works lets everything through.

    `generation` counts confirmed outages: openings in which at least one probe failed too. Failed attempts of
    an ID from before the present generation say nothing about the ID, so its count restarts. If the first
    probe works, the API was fine and the IDs are at fault: the generation stays, attempts remain charged, and
    a crawl whose last IDs always fail comes to its end.
    """

    def __init__(self, probe: Callable[[], Awaitable[bool]], *, seed: int | None = None) -> None:
        self._probe = probe
        self._random = random.Random(seed)
        self._failures: deque[bool] = deque(maxlen=REMEMBERED)
        self._failed_in_a_row = 0
        self._row_began_at = 0.0
        self._opened_at: float | None = None
        self._passable: asyncio.Event | None = None
        self._prober: asyncio.Task[None] | None = None
        self._shut_down = False
        self.generation = 0

    @property
    def is_open(self) -> bool:
        """Whether requests are held back."""
        return self._opened_at is not None

    def succeeded(self) -> None:
        """An ordinary request got an answer that proves the API to be working."""
        self._failures.append(False)
        self._failed_in_a_row = 0

    def failed(self, sent_in: int | None = None) -> bool:
        """An ordinary request failed. Returns whether to charge this to its ID.

        Not while the breaker is open, and not if an outage was confirmed since the request was sent, which
        `sent_in` (the `generation` at that time) tells: those are late answers of an outage dealt with.

        The failure that opens the breaker is charged, and only the probes tell whether rightly. So before an
        ID is given up, wait for `passage()` and compare the generation.

        Must be called from within the event loop, which may have to start probing.
        """
        if self.is_open or (sent_in is not None and sent_in != self.generation):
            return False
        now = asyncio.get_running_loop().time()
        if self._failed_in_a_row == 0:
            self._row_began_at = now
        self._failures.append(True)
        self._failed_in_a_row += 1
        if self._seems_down(now) and not self._shut_down:
            self._open(now)
        return True

    async def passage(self) -> None:
        """Wait until requests may be sent. Raises `BreakerClosed` after `close()`."""
        while self.is_open and not self._shut_down:
            assert self._passable is not None  # made when it opened
            await self._passable.wait()
        if self._shut_down:
            raise BreakerClosed

    def close(self) -> None:
        """Shut down at the end of the crawl: stop probing, send everybody who waits away."""
        self._shut_down = True
        self._opened_at = None
        if self._prober is not None:
            self._prober.cancel()
            self._prober = None
        if self._passable is not None:
            self._passable.set()

    def _seems_down(self, now: float) -> bool:
        if now - self._row_began_at >= NO_SUCCESS_FOR_S and self._failed_in_a_row >= IN_A_ROW_SLOWLY:
            return True
        return self._failed_in_a_row >= IN_A_ROW and sum(self._failures) >= FAILED_SHARE * len(self._failures)

    def _open(self, now: float) -> None:
        self._opened_at = now
        self._passable = asyncio.Event()
        logger.warning(
            "The API seems to be down: %d of the last %d requests failed. Requests wait until a probe works.",
            sum(self._failures),
            len(self._failures),
        )
        probing = self._probe_until_it_works()
        self._prober = asyncio.get_running_loop().create_task(probing, name="breaker-probe")

    async def _probe_until_it_works(self) -> None:
        gap_s, confirmed = FIRST_PROBE_S, False
        while True:
            await asyncio.sleep(gap_s * self._random.uniform(1 - JITTER, 1))
            if await self._probe_works():
                break
            if not confirmed:
                confirmed = True
                self.generation += 1
            gap_s = min(2 * gap_s, LONGEST_PROBE_GAP_S)
        self._let_through(confirmed)

    async def _probe_works(self) -> bool:
        try:
            async with asyncio.timeout(PROBE_TIMEOUT_S):
                return await self._probe()
        except Exception as error:  # whatever went wrong, the API cannot be said to work
            logger.debug("The probe of the API failed: %s", type(error).__name__)
            return False

    def _let_through(self, confirmed: bool) -> None:
        assert self._opened_at is not None  # it is open
        assert self._passable is not None
        logger.info(
            "The API answers again after %.1f s%s.",
            asyncio.get_running_loop().time() - self._opened_at,
            "" if confirmed else "; the first probe worked, so the failed requests themselves are at fault",
        )
        self._opened_at = None
        self._prober = None
        self._failures.clear()
        self._failed_in_a_row = 0
        self._passable.set()
