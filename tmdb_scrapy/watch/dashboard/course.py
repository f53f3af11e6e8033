"""The course of a kind over the last hours or days, as charts."""

from __future__ import annotations

from typing import NamedTuple

from tmdb_scrapy.queue import History, Minute
from tmdb_scrapy.queue.history import minute_of
from tmdb_scrapy.watch.charts import Chart, Line, lines


class Span(NamedTuple):
    """A stretch of time that charts show."""

    name: str
    title: str
    minutes: int
    step: int
    """Minutes that are taken together for one point."""


SPANS = {
    span.name: span
    for span in (
        Span("1h", "the last hour", 60, 1),
        Span("6h", "the last 6 hours", 360, 5),
        Span("24h", "the last 24 hours", 1_440, 20),
        Span("7d", "the last 7 days", 10_080, 120),
    )
}


def charts(kind: str, history: History, span: Span, now: float) -> list[Chart]:
    """What happened to a kind in the span before `now`; no charts where nothing did."""
    points = together(history, span, minute_of(now))
    if not points:
        return []
    times = [start * 60.0 for start in points]
    seconds = 60 * span.step

    def rate(of: list[int]) -> list[float | None]:
        return [round(count / seconds, 3) for count in of]

    minutes = list(points.values())
    return [
        lines(
            f"{kind}: IDs that ended a second",
            f"How many {kind} were kept, dropped, missing or failed in {span.title}.",
            times,
            [
                Line("kept", rate([m.kept for m in minutes])),
                Line("dropped", rate([m.dropped for m in minutes])),
                Line("missing", rate([m.missing for m in minutes])),
                Line("failed", rate([m.failed + m.stale for m in minutes])),
            ],
            "1/s",
        ),
        lines(
            f"{kind}: answers a second",
            f"How many answers TMDb gave for {kind} in {span.title}, and how many of them said 429.",
            times,
            [
                Line("answers", rate([m.answers for m in minutes])),
                Line("429s", rate([m.throttled for m in minutes])),
            ],
            "1/s",
        ),
        lines(
            f"{kind}: milliseconds an answer took",
            f"The mean of all answers for {kind}, in {span.title}.",
            times,
            [Line("mean", [round(m.mean_s * 1000, 1) if m.answers else None for m in minutes])],
            "ms",
        ),
    ]


def together(history: History, span: Span, until: int) -> dict[int, Minute]:
    """Whole steps of the span, by their first minute: none before the first in which something happened, and
    the last ends before `until`, the minute that is not over."""
    end = until // span.step * span.step
    first = min((m for m in history if m >= end - span.minutes), default=end)
    start = max(end - span.minutes, first // span.step * span.step)
    points = dict.fromkeys(range(start, end, span.step), Minute())
    for minute in history:
        step = minute // span.step * span.step
        if step in points:
            points[step] |= history[minute]
    return points
