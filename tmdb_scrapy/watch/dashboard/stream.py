"""What a stream tells: figures always, rows of workers as far as they changed, and the shape of the page."""

from __future__ import annotations

import hashlib
from typing import Any

import msgspec

from tmdb_scrapy.watch.dashboard.status import cells, heading, numbers, texts
from tmdb_scrapy.watch.sampler import Sampler

MOST_ROWS = 150
"""Rows in one message: a thousand workers are told of in turn, and a stream stays below 20 KB a second."""


def shape(sampler: Sampler) -> str:
    """Changes when the page has other rows, charts or buttons; figures in them are told of by themselves."""
    sample = sampler.sample
    parts = [
        (
            name,
            [worker.name for worker in each.workers],
            sorted(each.dropped),
            sorted(each.failures.items()),
            each.lost,
            list(sampler.gone[name]),
            bool(each.paused_since),
            list(each.recent)[1:2],
        )
        for name, each in sample.shown()
    ]
    read = bool(sample.at)
    return hashlib.blake2s(msgspec.json.encode([read, parts]), digest_size=8).hexdigest()


class Stream:
    """What one viewer has been told."""

    def __init__(self) -> None:
        self._rows: dict[str, list[str]] = {}
        self._next = 0

    def message(self, sampler: Sampler, shape_now: str, now: float) -> bytes:
        """The next one, as an event of the stream."""
        sample = sampler.sample
        told: dict[str, Any] = heading(sample, now) | {
            "shape": shape_now,
            "kinds": {
                n: numbers(each) | {"texts": texts(each, sample, n, now)} for n, each in sample.shown()
            },
            "rows": self._changed(sampler, now),
        }
        return b"data: " + msgspec.json.encode(told) + b"\n\n"

    def _changed(self, sampler: Sampler, now: float) -> dict[str, list[str]]:
        """Rows that are not as they were told, at most `MOST_ROWS`, where the last message ended first."""
        workers = [worker for _, each in sampler.sample.shown() for worker in each.workers]
        changed: dict[str, list[str]] = {}
        start = self._next if self._next < len(workers) else 0
        for offset in range(len(workers)):
            position = (start + offset) % len(workers)
            worker = workers[position]
            row = cells(worker, now)
            if self._rows.get(worker.name) != row:
                changed[worker.name] = self._rows[worker.name] = row
                if len(changed) == MOST_ROWS:
                    self._next = position + 1
                    break
        for name in self._rows.keys() - {worker.name for worker in workers}:
            del self._rows[name]
        return changed
