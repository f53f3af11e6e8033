"""Lets requests out one after another, evenly, at the rate of a `Pace`."""

from __future__ import annotations

import asyncio
from collections import deque

from tmdb_scrapy.pacing.pace import Pace

TIMER_RESOLUTION_S = 0.001
"""Timers of asyncio and uvloop are no finer; a turn nearer than this is taken at once."""

CATCH_UP_S = 0.02
CATCH_UP_MOST_S = 0.05
"""How late a wake-up may be made up for: one interval, but within these bounds. Anything later is lost, so
that a stalled event loop is not followed by a burst."""


class GovernorClosed(Exception):
    """The governor was closed: nothing more is to be sent."""

    def __init__(self) -> None:
        super().__init__("the rate governor is closed: the crawl is stopping and sends no more requests")


class Governor:
    """A queue for the right to send, first come first served.

        await governor.acquire()
        sent_at = loop.time()
        ... send, then tell `governor.answered(sent_at)` or `governor.throttled(sent_at, retry_after_s)`

    Belongs to one event loop, and is not for other threads.
    """

    def __init__(self, pace: Pace) -> None:
        self.pace = pace
        pace.on_change = self._rearm
        self._loop: asyncio.AbstractEventLoop | None = None
        self._waiters: deque[asyncio.Future[None]] = deque()
        self._timer: asyncio.TimerHandle | None = None
        self._timer_at = 0.0
        self._last_turn = 0.0
        self._paused = False
        self._closed = False

    async def acquire(self) -> None:
        """Wait for one's turn. Raises `GovernorClosed` once the governor is closed."""
        if self._closed:
            raise GovernorClosed
        loop = self._loop
        if loop is None:
            loop = self._begin()
        if not self._waiters and not self._paused and self._take_turn(loop.time()):
            return
        waiter: asyncio.Future[None] = loop.create_future()
        self._waiters.append(waiter)
        if self._timer is None:
            self._rearm()
        try:
            await waiter
        except asyncio.CancelledError:
            self._forget(waiter)
            raise

    def answered(self, sent_at: float) -> None:
        """A request sent at loop time `sent_at` was served."""
        self.pace.answered(self._now(), sent_at)

    def throttled(self, sent_at: float, retry_after_s: float | None) -> None:
        """A request sent at loop time `sent_at` was refused for pace (429, connection refused)."""
        self.pace.throttled(self._now(), sent_at, retry_after_s)

    @property
    def silent_s(self) -> float:
        """For how long nothing may be sent because the server asked for silence; 0 when something may."""
        return max(0.0, self.pace.resume_at - self._loop.time()) if self._loop else 0.0

    def pause(self) -> None:
        """Hold everything back until `resume()`."""
        self._paused = True
        self._disarm()

    def resume(self) -> None:
        """Go on after `pause()`: the next at once, those behind it at the usual pace."""
        if not self._paused:
            return
        self._paused = False
        if self._loop is not None:
            self._last_turn = max(self._last_turn, self._loop.time() - 1 / self.pace.rate_per_s)
        self._rearm()

    def close(self) -> None:
        """Let nothing more out: all that wait, and all that come later, get `GovernorClosed`."""
        self._closed = True
        self._disarm()
        while self._waiters:
            waiter = self._waiters.popleft()
            if not waiter.done():
                waiter.set_exception(GovernorClosed())

    def _begin(self) -> asyncio.AbstractEventLoop:
        self._loop = asyncio.get_running_loop()
        self._last_turn = self._loop.time() - 1 / self.pace.rate_per_s
        return self._loop

    def _now(self) -> float:
        return (self._loop or self._begin()).time()

    def _next_turn(self) -> float:
        return max(self._last_turn + 1 / self.pace.rate_per_s, self.pace.resume_at)

    def _take_turn(self, now: float) -> bool:
        """Take the next turn if it has come."""
        pace = self.pace
        interval = 1 / pace.rate_per_s
        turn = self._last_turn + interval
        if now < pace.resume_at or turn > now + TIMER_RESOLUTION_S:
            return False
        if turn < pace.resume_at:
            turn = pace.resume_at
        late_s = now - turn
        if late_s > CATCH_UP_S:
            lost_s = late_s - min(max(interval, CATCH_UP_S), CATCH_UP_MOST_S)
            if lost_s > 0:
                pace.idle_s += lost_s
                turn += lost_s
        self._last_turn = turn
        return True

    def _release(self) -> None:
        """Wake those whose turn has come."""
        assert self._loop is not None  # only ever called by its timer
        self._timer = None
        now = self._loop.time()
        while self._waiters:
            if self._waiters[0].done():
                self._waiters.popleft()
            elif self._take_turn(now):
                self._waiters.popleft().set_result(None)
            else:
                break
        self._rearm()

    def _rearm(self) -> None:
        """Set the timer for the first in the queue."""
        if self._loop is None or self._paused or not self._waiters:
            self._disarm()
            return
        turn = self._next_turn()
        if self._timer is not None:
            if abs(self._timer_at - turn) < TIMER_RESOLUTION_S:
                return
            self._timer.cancel()
        self._timer = self._loop.call_at(turn, self._release)
        self._timer_at = turn  # when() is not to be had of uvloop if this is at once

    def _disarm(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _forget(self, waiter: asyncio.Future[None]) -> None:
        """A waiter was cancelled: it leaves the queue, or gives back a turn that it just got."""
        if waiter in self._waiters:
            self._waiters.remove(waiter)
        elif not waiter.cancelled() and waiter.exception() is None:
            self._last_turn -= 1 / self.pace.rate_per_s
        self._rearm()
