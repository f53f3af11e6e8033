"""Charts as SVG, for the report, the dashboard and the benchmarks: no script, no request, no inline style.

Each chart has a title and a description for those who hear it, and the table of its data for those who want
numbers. Colours come from `STYLE`, once a page; they differ in brightness too, and lines in their dashes, so
that nobody has to tell hues apart. A million things are as small as ten: whoever draws has counted before.

A library was weighed: those that draw more (plotly, bokeh) bring scripts, those without scripts (pygal,
leather) inline styles or no text alternative, and matplotlib alone is larger than this whole project.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from importlib.resources import files
from typing import NamedTuple

from tmdb_scrapy.watch.markup import LONGEST_TEXT, Cell, Table, as_html, escaped, number, short

WIDTH = 420
"""Of most charts, in units that are pixels on a telephone; they grow and shrink with the page."""
SIZE = 13
"""Of letters."""
LETTER = 7.2
"""How wide one is, on average."""
BAR, GAP = 20, 7
LABELS_SHARE = 0.45
"""Of the width of a chart of bars, at most; longer labels are cut."""
PLOT_HEIGHT = 190
DOT = 4.0
"""Of a line with one value."""
SERIES = 4
"""So many colours there are."""
STYLE = files(__package__).joinpath("charts.css").read_text(encoding="utf-8")
"""Colours for light and dark pages, for forced colours and for paper."""


class Bar(NamedTuple):
    """A bar of a chart."""

    label: str
    value: float
    text: str = ""
    """What stands at its end; without it the value."""
    series: int = 1
    """Its colour, from 1; 0 is grey, for what stands for many."""
    spread: tuple[float, float] | None = None
    """The least and the largest that was measured, where `value` is in the middle."""


class Line(NamedTuple):
    """A line of a chart; None where nothing is known."""

    name: str
    values: Sequence[float | None]


class Chart(NamedTuple):
    """A chart, as text that is safe to be put into a page as it is."""

    title: str
    svg: str
    """An `<svg>` element, whose colours come from the page's style sheet."""
    table: Table

    @property
    def figure(self) -> str:
        """The chart with its heading, and its table behind a fold."""
        table = as_html(self.table, f"The numbers of {self.title}")
        return (
            f'<figure class="chart"><figcaption>{escaped(self.title)}</figcaption>{self.svg}'
            f"<details><summary>The numbers</summary>{table}</details></figure>"
        )

    @property
    def file(self) -> str:
        """The chart as a file of its own, which knows its colours."""
        opening, _, rest = self.svg.partition(">")
        return f"{opening}><style>{STYLE}</style>{rest}\n"


def bars(
    title: str,
    description: str,
    groups: Sequence[tuple[str, Sequence[Bar]]],
    heading: tuple[str, str],
    *,
    width: int = WIDTH,
) -> Chart:
    """Bars from left to right, one below the other, in groups with headings (which may be empty).

    `heading`: what the labels and the values are, for the table.
    """
    of_all = [bar for _, of_group in groups for bar in of_group]
    largest = max((max((bar.value, *(bar.spread or ()))) for bar in of_all), default=0) or 1
    texts = max((len(bar.text or number(bar.value)) for bar in of_all), default=0)
    labels = max((len(bar.label) for bar in of_all), default=0) * LETTER + 10
    left = min(labels, width * LABELS_SHARE)
    scale = (width - left - texts * LETTER - 12) / largest
    parts: list[str] = []
    top = 4.0
    for name, of_group in groups:
        if name:
            parts.append(_text(0, top + 15, name, fits=width, of="heading"))
            top += 28
        for bar in of_group:
            parts.append(_bar(bar, top, scale, left))
            top += BAR + GAP
    rows = [
        [*([name] if len(groups) > 1 else []), bar.label, bar.text or number(bar.value)]
        for name, of_group in groups
        for bar in of_group
    ]
    table = Table([*(["group"] if len(groups) > 1 else []), *heading], rows)
    return Chart(title, _svg(title, description, width, top, parts, not of_all), table)


def columns(
    title: str, description: str, values: Sequence[tuple[str, float]], heading: tuple[str, str]
) -> Chart:
    """Columns side by side, in the order of what they count: decades, minutes, votes."""
    plot = _Plot(max((value for _, value in values), default=0))
    step = plot.width / max(len(values), 1)
    every = math.ceil(max((len(label) for label, _ in values), default=1) * LETTER * 1.2 / step)
    parts = list(plot.axis())
    for place, (label, value) in enumerate(values):
        left, height = plot.left + place * step, plot.height_of(value)
        parts.append(
            f'<rect class="series-1" x="{left + step * 0.1:.1f}" y="{plot.bottom - height:.1f}"'
            f' width="{step * 0.8:.1f}" height="{height:.1f}">{_tip(f"{label}: {number(value)}")}</rect>'
        )
        if place % every == 0:
            parts.append(_text(left + step / 2, plot.bottom + 17, label, anchor="middle"))
    svg = _svg(title, description, WIDTH, plot.bottom + 24, parts, not values)
    return Chart(title, svg, Table(heading, [[label, number(value)] for label, value in values]))


def lines(
    title: str,
    description: str,
    times: Sequence[float],
    of: Sequence[Line],
    unit: str,
    *,
    width: int = WIDTH,
) -> Chart:
    """Lines over time. `times` are seconds since the epoch, in order, and shown in UTC; each line has a value
    for each. Whoever has thousands takes means of them first."""
    plot = _Plot(max((v for line in of for v in line.values if v is not None), default=0), width, top=34)
    first, last = (times[0], times[-1]) if times else (0.0, 0.0)
    scale = plot.width / ((last - first) or 1)
    parts = [*_legend(of), *plot.axis()]
    for place, line in enumerate(of):
        found = [
            (plot.left + (at - first) * scale, value) for at, value in zip(times, line.values, strict=True)
        ]
        parts += _strokes(found, plot, 1 + place % SERIES)
    written = _clock(last - first)
    for share, anchor in ((0.0, "start"), (0.5, "middle"), (1.0, "end"))[: 3 if last > first else 1]:
        at = datetime.fromtimestamp(first + share * (last - first), UTC).strftime(written)
        parts.append(_text(plot.left + share * plot.width, plot.bottom + 17, at, anchor=anchor))
    rows: list[list[Cell]] = [
        [datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%d %H:%M"), *values]
        for at, *values in zip(times, *(line.values for line in of), strict=True)
    ]
    table = Table(["UTC", *(f"{line.name} ({unit})" for line in of)], rows)
    return Chart(title, _svg(title, description, width, plot.bottom + 24, parts, not times), table)


def cells(
    title: str,
    description: str,
    of_columns: Sequence[str],
    of_rows: Sequence[str],
    counts: Sequence[Sequence[int]],
    axes: tuple[str, str],
) -> Chart:
    """A grid in which the darkest cell counts most: how two things that were measured hang together.

    The first row of `counts` is drawn at the bottom, as on a graph. `axes`: what columns and rows are.
    """
    left, bottom = 52.0, 22.0 + 18 * len(of_rows)
    step = (WIDTH - left - 4) / max(len(of_columns), 1)
    most = max((count for row in counts for count in row), default=0) or 1
    parts = []
    for y, (row, of_row) in enumerate(zip(of_rows, counts, strict=True)):
        top = bottom - 18 * (y + 1)
        parts.append(_text(left - 6, top + 13, row, anchor="end"))
        for x, count in enumerate(of_row):
            if count:
                tip = _tip(f"{of_columns[x]}, {row}: {number(count)}")
                shade = math.ceil(9 * math.log1p(count) / math.log1p(most))
                parts.append(
                    f'<rect class="shade-{shade}" x="{left + x * step:.1f}" y="{top:.1f}"'
                    f' width="{step - 1:.1f}" height="17">{tip}</rect>'
                )
    every = math.ceil(max((len(name) for name in of_columns), default=1) * LETTER * 1.2 / step)
    parts += [
        _text(left + (x + 0.5) * step, bottom + 17, name, anchor="middle")
        for x, name in enumerate(of_columns)
        if x % every == 0
    ]
    rows: list[list[Cell]] = [[name, *of_row] for name, of_row in zip(of_rows, counts, strict=True)]
    parts.append(_text(0, 13, f"↑ {axes[1]}", of="soft"))
    parts.append(_text(WIDTH, bottom + 33, f"{axes[0]} →", anchor="end", of="soft"))
    svg = _svg(title, description, WIDTH, bottom + 38, parts, not any(map(any, counts)))
    return Chart(title, svg, Table([f"{axes[1]} \\ {axes[0]}", *of_columns], rows))


class _Plot:
    """A frame with an axis from 0 to the largest value, on which marks stand at round numbers."""

    def __init__(self, largest: float, width: int = WIDTH, top: float = 12) -> None:
        self.left, self.top, self.bottom = 44.0, top, top + PLOT_HEIGHT
        self.width = width - self.left - 4
        self._marks = _round_marks(largest)

    def height_of(self, value: float) -> float:
        return PLOT_HEIGHT * value / self._marks[-1]

    def axis(self) -> Iterator[str]:
        for mark in self._marks:
            y = self.bottom - self.height_of(mark)
            right = self.left + self.width
            yield f'<line class="grid" x1="{self.left}" x2="{right}" y1="{y:.1f}" y2="{y:.1f}"/>'
            yield _text(self.left - 6, y + 4, short(mark), anchor="end")


def _round_marks(largest: float) -> list[float]:
    """From 0 to no less than `largest`, some four steps of 1, 2 or 5."""
    if largest <= 0:
        return [0, 1]
    power = 10 ** math.floor(math.log10(largest / 4))
    step = next(factor * power for factor in (1, 2, 5, 10) if factor * power * 4 >= largest * 0.999)
    return [step * place for place in range(math.ceil(largest / step * 0.999) + 1)]


def _bar(bar: Bar, top: float, scale: float, left: float) -> str:
    middle = top + BAR / 2
    length = bar.value * scale
    end = left + length
    text = bar.text or number(bar.value)
    parts = [
        _text(left - 8, middle + 4, bar.label, fits=left - 8, anchor="end"),
        f'<rect class="series-{bar.series}" x="{left}" y="{top:.1f}" width="{length:.1f}" height="{BAR}">'
        f"{_tip(f'{bar.label}: {text}')}</rect>",
    ]
    if bar.spread:
        least, most = (left + value * scale for value in bar.spread)
        parts.append(
            f'<line class="spread" x1="{least:.1f}" x2="{most:.1f}" y1="{middle:.1f}" y2="{middle:.1f}"/>'
        )
        end = max(end, most)
    return "".join([*parts, _text(end + 6, middle + 4, text)])


def _strokes(found: Sequence[tuple[float, float | None]], plot: _Plot, series: int) -> Iterator[str]:
    """A line, broken where a value is missing; a value between two missing ones is a dot."""
    stretch: list[tuple[float, float]] = []
    for x, value in [*found, (0.0, None)]:
        if value is not None:
            stretch.append((x, plot.bottom - plot.height_of(value)))
        elif stretch:
            if len(stretch) == 1:
                ((at, height),) = stretch
                stretch = [(at - DOT / 2, height), (at + DOT / 2, height)]
            points = " ".join(f"{at:.1f},{height:.1f}" for at, height in stretch)
            yield f'<polyline class="line-{series}" points="{points}"/>'
            stretch = []


def _legend(of: Sequence[Line]) -> Iterator[str]:
    left = 0.0
    for place, line in enumerate(of):
        yield f'<polyline class="line-{1 + place % SERIES}" points="{left:.1f},10 {left + 26:.1f},10"/>'
        yield _text(left + 32, 14, line.name)
        left += 50 + len(line.name) * LETTER


def _clock(seconds: float) -> str:
    return "%H:%M" if seconds < 20 * 3600 else "%b %d, %H:%M" if seconds < 6 * 86_400 else "%b %d"


def _svg(title: str, description: str, width: float, height: float, parts: Sequence[str], empty: bool) -> str:
    if empty:
        height, parts = 30, [_text(0, 20, "nothing yet")]
    name = "chart-" + hashlib.blake2s(title.encode(errors="replace"), digest_size=4).hexdigest()
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" class="chart" viewBox="0 0 {width:g} {height:g}"'
        f' role="img" aria-labelledby="{name}-title" aria-describedby="{name}-about">'
        f'<title id="{name}-title">{escaped(title)}</title>'
        f'<desc id="{name}-about">{escaped(description, 3 * LONGEST_TEXT)}</desc>{"".join(parts)}</svg>'
    )


def _text(
    x: float, y: float, text: str, *, fits: float = math.inf, anchor: str = "start", of: str = "text"
) -> str:
    """A line of letters, cut where it would be longer than `fits`."""
    letters = LONGEST_TEXT if fits == math.inf else max(int(fits / LETTER), 1)
    return (
        f'<text class="{of}" x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}">{escaped(text, letters)}</text>'
    )


def _tip(text: str) -> str:
    """What a mouse that rests on it is told."""
    return f"<title>{escaped(text)}</title>"
