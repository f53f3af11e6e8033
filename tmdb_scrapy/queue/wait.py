"""Waiting for a Redis that is away: one warning when it goes, one line when it is back."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable
from typing import TypeVar

from tmdb_scrapy.config import Config
from tmdb_scrapy.queue.connection import explain, is_passing

logger = logging.getLogger(__name__)

FIRST_DELAY_S = 0.1
LONGEST_DELAY_S = 2.0

Result = TypeVar("Result")


class WaitForRedis:
    """Repeats an operation on Redis until it succeeds, as long as its faults are passing ones.

    The operation must be one that may be done twice, since an answer may have been lost on its way.
    """

    def __init__(self, config: Config) -> None:
        self._config = config
        self._away_since: float | None = None
        self.last_error = ""
        """Why Redis is away; empty when it is not."""

    async def __call__(self, operation: Callable[[], Awaitable[Result]]) -> Result:
        """The result of `operation`. Raises its error when waiting would not mend it."""
        delay_s = FIRST_DELAY_S
        while True:
            try:
                result = await operation()
            except Exception as error:
                if not is_passing(error):
                    raise
                self._away(error)
            else:
                self._back()
                return result
            await asyncio.sleep(delay_s)
            delay_s = min(delay_s * 2, LONGEST_DELAY_S)

    def _away(self, error: Exception) -> None:
        self.last_error = explain(error, self._config)
        if self._away_since is None:
            self._away_since = time.monotonic()
            logger.warning("%s. Waiting for it; nothing is lost meanwhile", self.last_error)

    def _back(self) -> None:
        if self._away_since is not None:
            logger.info("Redis is back after %.1f s", time.monotonic() - self._away_since)
            self._away_since = None
            self.last_error = ""
