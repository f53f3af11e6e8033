"""What a stream tells: figures always, rows of workers as far as they changed, and the shape of the page."""

from __future__ import annotations

import hashlib
from typing import Any, NamedTuple, Self

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


class Told(NamedTuple):
    """What there is to tell of a sample: made once, however many viewers there are."""

    figures: dict[str, Any]
    rows: dict[str, list[str]]
    """Of every worker, by its name."""

    @classmethod
    def of(cls, sampler: Sampler, now: float) -> Self:
        """`now`: seconds since the epoch."""
        sample = sampler.sample
        shown = dict(sample.shown())
        figures = heading(sample, now) | {
            "shape": shape(sampler),
            "kinds": {
                name: numbers(each) | {"texts": texts(each, sample, name, now)}
                for name, each in shown.items()
            },
        }
        workers = [worker for each in shown.values() for worker in each.workers]
        return cls(figures, {worker.name: cells(worker, now) for worker in workers})


class Stream:
    """What one viewer has been told."""

    def __init__(self) -> None:
        self._rows: dict[str, list[str]] = {}
        self._next = 0

    def message(self, told: Told) -> bytes:
        """The next one, as an event of the stream."""
        return b"data: " + msgspec.json.encode(told.figures | {"rows": self._changed(told.rows)}) + b"\n\n"

    def _changed(self, rows: dict[str, list[str]]) -> dict[str, list[str]]:
        """Rows that are not as they were told, at most `MOST_ROWS`, where the last message ended first."""
        changed: dict[str, list[str]] = {}
        names = list(rows)
        start = self._next if self._next < len(names) else 0
        for position in (*range(start, len(names)), *range(start)):
            name = names[position]
            if self._rows.get(name) != rows[name]:
                changed[name] = self._rows[name] = rows[name]
                if len(changed) == MOST_ROWS:
                    self._next = position + 1
                    break
        for name in self._rows.keys() - rows.keys():
            del self._rows[name]
        return changed
