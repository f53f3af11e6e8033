"""Components that kill their own worker at one exact moment. Only tests install them, with -s.

`SABOTAGE_AFTER` (environment) is how many lines, or batches, go well first.
"""

from __future__ import annotations

import json
import os
import signal
from typing import Any

from tmdb_scrapy import settings
from tmdb_scrapy.extensions.settlement import SettlementExtension
from tmdb_scrapy.pipelines.part_writer import PartWriterPipeline
from tmdb_scrapy.records.record import line_of


class _Countdown:
    def __init__(self) -> None:
        self._left = int(os.environ["SABOTAGE_AFTER"])

    def over(self) -> bool:
        self._left -= 1
        return self._left < 0


def _die() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


class DiesInALine(PartWriterPipeline):
    """Half a line reaches the file."""

    def process_item(self, item: Any) -> Any:
        self._countdown = getattr(self, "_countdown", None) or _Countdown()
        if self._countdown.over():
            line, part = line_of(item.body), self._worker.part
            part.write(item.id, line[: len(line) // 2])
            part.flush()
            _die()
        return super().process_item(item)


class DiesBeforeSyncing(SettlementExtension):
    """The outcomes of a batch are taken, and their lines are still in this process's memory."""

    async def _sync(self) -> None:
        self._countdown = getattr(self, "_countdown", None) or _Countdown()
        if self._countdown.over():
            _die()
        await super()._sync()


class DiesBeforeSettling(SettlementExtension):
    """The lines of a batch are on disk, and Redis does not know it yet."""

    async def _sync(self) -> None:
        await super()._sync()
        self._countdown = getattr(self, "_countdown", None) or _Countdown()
        if self._countdown.over():
            _die()


class DiesAfterSettling(SettlementExtension):
    """Redis knows of a batch, and the worker does not know that it does."""

    async def settle(self) -> None:
        await super().settle()
        self._countdown = getattr(self, "_countdown", None) or _Countdown()
        if self.outcomes and self._countdown.over():
            _die()


SABOTEURS = (DiesInALine, DiesBeforeSyncing, DiesBeforeSettling, DiesAfterSettling)


def installing(component: type) -> list[str]:
    """The `scrapy crawl` arguments that put `component` in the place of the one it derives from."""
    name = "ITEM_PIPELINES" if issubclass(component, PartWriterPipeline) else "EXTENSIONS"
    components: dict[str, int | None] = dict(getattr(settings, name))
    replaced = f"{component.__bases__[0].__module__}.{component.__bases__[0].__qualname__}"
    components[f"saboteur.{component.__qualname__}"] = components.pop(replaced)
    return ["-s", f"{name}={json.dumps(components)}"]
