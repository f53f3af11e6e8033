"""The chart of the README: this project's figures beside those of its peers."""

from __future__ import annotations

from collections.abc import Sequence

from benchmarks.figures import Figure
from tmdb_scrapy.watch.charts import Bar, bars

OURS, THEIRS = 1, 2


def bar_chart(title: str, groups: Sequence[tuple[str, Sequence[Figure]]]) -> str:
    """An SVG file with a group of bars for each heading: medians, the spread of the runs as a thin line.

    The first figure of a group is this project's.
    """
    bars_of = [
        (heading, [_bar(figure, THEIRS if number else OURS) for number, figure in enumerate(figures)])
        for heading, figures in groups
    ]
    about = "The median of all runs; a thin line from the slowest to the fastest run."
    return bars(title, about, bars_of, ("crawler", "median"), width=760).file


def _bar(figure: Figure, series: int) -> Bar:
    text = f"{figure.median:,.0f} {figure.unit}"
    return Bar(figure.name, figure.median, text, series, (min(figure.runs), max(figure.runs)))
