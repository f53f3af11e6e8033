"""A bar chart as SVG, readable on light and on dark pages."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

from benchmarks.figures import Figure

WIDTH = 760
LABEL = 220
BAR = 20
GAP = 8
HEADING = 34
MARGIN = 12
OURS, THEIRS, TEXT = "#2f7d4f", "#8a94a3", "#6b7480"


def bar_chart(title: str, groups: Sequence[tuple[str, Sequence[Figure]]]) -> str:
    """An SVG with a group of bars for each heading: medians, the spread of the runs as a thin line.

    The first figure of a group is this project's.
    """
    largest = max((max(figure.runs) for _, figures in groups for figure in figures), default=1.0)
    scale = (WIDTH - LABEL - 90) / largest
    parts: list[str] = []
    top = MARGIN + 20
    for heading, figures in groups:
        parts.append(_text(MARGIN, top + 16, heading, weight="bold"))
        top += HEADING
        for number, figure in enumerate(figures):
            parts.append(_bar(figure, top, scale, OURS if number == 0 else THEIRS))
            top += BAR + GAP
    height = top + MARGIN
    return "\n".join(
        [
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" width="{WIDTH}" '
            f'height="{height}" font-family="system-ui, sans-serif" font-size="13" role="img">',
            f"<title>{escape(title)}</title>",
            _text(MARGIN, MARGIN + 8, title, weight="bold"),
            *parts,
            "</svg>\n",
        ]
    )


def _bar(figure: Figure, top: int, scale: float, color: str) -> str:
    middle = top + BAR / 2
    length = figure.median * scale
    least, most = (LABEL + value * scale for value in (min(figure.runs), max(figure.runs)))
    return "\n".join(
        [
            _text(LABEL - 8, middle + 4, figure.name, anchor="end"),
            f'<rect x="{LABEL}" y="{top}" width="{length:.1f}" height="{BAR}" rx="3" fill="{color}"/>',
            f'<line x1="{least:.1f}" x2="{most:.1f}" y1="{middle}" y2="{middle}" stroke="{TEXT}"/>',
            _text(max(LABEL + length, most) + 8, middle + 4, f"{figure.median:,.0f} {figure.unit}"),
        ]
    )


def _text(left: float, baseline: float, text: str, anchor: str = "start", weight: str = "normal") -> str:
    return (
        f'<text x="{left:.1f}" y="{baseline:.1f}" text-anchor="{anchor}" font-weight="{weight}" '
        f'fill="{TEXT}">{escape(text)}</text>'
    )
