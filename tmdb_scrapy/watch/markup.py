"""Text and numbers of anybody, as a page shows them."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from html import escape
from typing import NamedTuple

LONGEST_TEXT = 200
"""Letters that a page shows of one text; a title of TMDb's can have thousands."""
_NOT_TEXT = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff\ufffe\uffff]")
"""What XML has no place for."""

Cell = str | float | int | None


class Table(NamedTuple):
    """The data of a chart."""

    heading: Sequence[str]
    rows: Sequence[Sequence[Cell]]


def plain(text: str, letters: int = LONGEST_TEXT) -> str:
    """Text without what a page has no place for, cut after so many letters. It is not escaped yet."""
    shown = text if len(text) <= letters else text[: max(letters - 1, 1)] + "…"
    return _NOT_TEXT.sub("\ufffd", shown)


def escaped(text: str, letters: int = LONGEST_TEXT) -> str:
    """Text as text of HTML and XML, cut after so many letters."""
    return escape(plain(text, letters))


def as_html(table: Table, label: str = "Table") -> str:
    """A table as HTML. `label` is what those hear who go from one part of a page to the next."""
    heading = "".join(f'<th scope="col">{escaped(cell)}</th>' for cell in table.heading)
    rows = "".join(f"<tr>{''.join(_cells(row))}</tr>" for row in table.rows)
    return (
        f'<div class="table" tabindex="0" role="region" aria-label="{escaped(label)}"><table>'
        f"<thead><tr>{heading}</tr></thead><tbody>{rows}</tbody></table></div>"
    )


def number(value: float) -> str:
    """`1,234`, `12.5`, `0.034`."""
    if value == round(value) or abs(value) >= 100:
        return f"{value:,.0f}"
    return f"{value:.1f}" if abs(value) >= 10 else f"{value:.3g}"


def short(value: float) -> str:
    """A number for an axis: `950`, `12k`, `3.5M`, `2G`."""
    for unit, factor in (("G", 1e9), ("M", 1e6), ("k", 1e3)):
        if abs(value) >= factor:
            return f"{value / factor:.3g}{unit}"
    return f"{value:.3g}"


def _cells(row: Sequence[Cell]) -> Iterator[str]:
    for place, cell in enumerate(row):
        text = "–" if cell is None else escaped(cell if isinstance(cell, str) else number(cell))
        yield f'<th scope="row"><bdi>{text}</bdi></th>' if place == 0 else f"<td><bdi>{text}</bdi></td>"
