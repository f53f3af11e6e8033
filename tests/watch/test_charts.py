"""Charts that everybody can read, whatever text is in them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import combinations
from xml.etree import ElementTree

import pytest

from tmdb_scrapy.watch.charts import DOT, STYLE, Bar, Chart, Line, bars, cells, columns, lines

SVG = "{http://www.w3.org/2000/svg}"
HOSTILE = (
    '</title></text><script>alert(1)</script>"\' onload="x" &amp; \u202egnirts \x00\x1b\ud800 ' + "x" * 10_000
)
CHARTS = {
    "bars": bars("Genres", "how many", [("", [Bar("Drama", 30), Bar("War", 10)])], ("genre", "movies")),
    "groups": bars(
        "Speed",
        "a second",
        [("one core", [Bar("ours", 9, spread=(8, 12))]), ("two", [Bar("it", 4)])],
        ("who", "speed"),
    ),
    "columns": columns("Decades", "by release", [("1990s", 5), ("2000s", 1234)], ("decade", "movies")),
    "lines": lines(
        "Rate",
        "of requests",
        [0, 60, 120, 180],
        [Line("answers", [1, 2, None, 4]), Line("429s", [0, 0, 0, 0])],
        "/s",
    ),
    "cells": cells(
        "Money", "budget", ["1k", "1M"], ["10M", "20M"], [[1, 0], [1_000, 50]], ("budget", "revenue")
    ),
}
EMPTY = [
    bars("None", "", [("", [])], ("a", "b")),
    columns("None", "", [], ("a", "b")),
    lines("None", "", [], [Line("a", [])], "/s"),
    cells("None", "", [], [], [], ("a", "b")),
    bars("Zeros", "", [("", [Bar("a", 0)])], ("a", "b")),
    columns("Zeros", "", [("a", 0)], ("a", "b")),
    lines("One moment", "", [60], [Line("a", [0])], "/s"),
    lines("Unknown", "", [0, 60], [Line("a", [None, None])], "/s"),
]


def drawn(chart: Chart) -> ElementTree.Element:
    return ElementTree.fromstring(chart.svg)


def hostile() -> Iterator[Chart]:
    yield bars(HOSTILE, HOSTILE, [(HOSTILE, [Bar(HOSTILE, 1, HOSTILE)]), ("", [])], (HOSTILE, HOSTILE))
    yield columns(HOSTILE, HOSTILE, [(HOSTILE, 1)], (HOSTILE, HOSTILE))
    yield lines(HOSTILE, HOSTILE, [0, 60], [Line(HOSTILE, [1, 2])], HOSTILE)
    yield cells(HOSTILE, HOSTILE, [HOSTILE], [HOSTILE], [[1]], (HOSTILE, HOSTILE))


@pytest.mark.parametrize("chart", [*CHARTS.values(), *EMPTY], ids=lambda chart: chart.title)
def test_a_chart_tells_its_title_and_what_it_shows(chart: Chart) -> None:
    svg = drawn(chart)
    named = {element.get("id"): element for element in svg.iter() if element.get("id")}
    assert svg.get("role") == "img"
    assert named[svg.get("aria-labelledby")].text == chart.title
    assert named[svg.get("aria-describedby")].tag == f"{SVG}desc"


@pytest.mark.parametrize("chart", [*CHARTS.values(), *EMPTY, *hostile()], ids=lambda chart: chart.title[:9])
def test_a_chart_has_no_script_no_inline_style_and_asks_nobody(chart: Chart) -> None:
    for text in (chart.svg, chart.figure.replace("&", "&#38;")):
        for element in ElementTree.fromstring(text).iter():
            assert element.tag.rpartition("}")[2] not in {
                "script",
                "style",
                "image",
                "use",
                "a",
                "foreignObject",
            }
            names = {name.rpartition("}")[2] for name in element.attrib}
            assert not {name for name in names if name in {"style", "href", "src"} or name.startswith("on")}
    assert "url(" not in STYLE
    assert "@import" not in STYLE


@pytest.mark.parametrize("chart", hostile(), ids=lambda chart: chart.svg[-20:])
def test_what_anybody_wrote_is_shown_as_text_and_cut(chart: Chart) -> None:
    shown = "".join(drawn(chart).itertext())
    assert "</title></text><script>alert(1)</script>\"' onload=" in shown
    assert "\ufffd\ufffd\ufffd" in shown
    assert len(chart.figure) < 20_000


def test_the_table_has_every_number_also_where_the_chart_has_none() -> None:
    assert CHARTS["columns"].table.rows == [["1990s", "5"], ["2000s", "1,234"]]
    assert CHARTS["groups"].table.rows == [["one core", "ours", "9"], ["two", "it", "4"]]
    assert CHARTS["lines"].table.rows[2] == ["1970-01-01 00:02", None, 0]
    assert CHARTS["cells"].table.rows == [["10M", 1, 0], ["20M", 1_000, 50]]
    assert "<td><bdi>1,234</bdi></td>" in CHARTS["columns"].figure
    assert "<td><bdi>–</bdi></td>" in CHARTS["lines"].figure


def test_lengths_are_in_proportion() -> None:
    drama, war = drawn(CHARTS["bars"]).iter(f"{SVG}rect")
    assert float(drama.attrib["width"]) == pytest.approx(3 * float(war.attrib["width"]), rel=0.01)
    few, many = drawn(CHARTS["columns"]).iter(f"{SVG}rect")
    assert float(few.attrib["height"]) / float(many.attrib["height"]) == pytest.approx(5 / 1234, abs=0.001)


def test_a_chart_stays_within_its_frame() -> None:
    for chart in CHARTS.values():
        _, _, width, height = map(float, drawn(chart).attrib["viewBox"].split())
        for rect in drawn(chart).iter(f"{SVG}rect"):
            assert (
                0 <= float(rect.attrib["x"]) <= float(rect.attrib["x"]) + float(rect.attrib["width"]) <= width
            )
            assert (
                0
                <= float(rect.attrib["y"])
                <= float(rect.attrib["y"]) + float(rect.attrib["height"])
                <= height
            )


def test_a_line_is_broken_where_nothing_is_known() -> None:
    strokes = [line.attrib["points"].split() for line in drawn(CHARTS["lines"]).iter(f"{SVG}polyline")]
    assert [len(points) for points in strokes[2:]] == [2, 2, 4], "two of the legend, two stretches, one line"


def test_a_file_of_its_own_knows_its_colours() -> None:
    styles = ElementTree.fromstring(CHARTS["bars"].file).findall(f"{SVG}style")
    assert [style.text for style in styles] == [STYLE]


def luminance(colour: tuple[float, ...]) -> float:
    """https://www.w3.org/TR/WCAG22/#dfn-relative-luminance, of linear red, green and blue."""
    return sum(share * part for share, part in zip((0.2126, 0.7152, 0.0722), colour, strict=True))


def linear(hexadecimal: str) -> tuple[float, ...]:
    parts = [int(hexadecimal[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    return tuple(part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts)


def contrast(one: str, other: str) -> float:
    dark, light = sorted(map(luminance, (linear(one), linear(other))))
    return (light + 0.05) / (dark + 0.05)


THEMES = dict(
    zip(("#ffffff", "#0d1117"), re.findall(r"\.chart \{([^}]*--text: #[^}]*)\}", STYLE), strict=True)
)


def colours(theme: str) -> dict[str, str]:
    return dict(re.findall(r"--([\w-]+): (#\w{6})", THEMES[theme]))


@pytest.mark.parametrize("page", THEMES)
def test_colours_stand_out_from_the_page_as_wcag_aa_wants(page: str) -> None:
    assert contrast(colours(page)["text"], page) >= 4.5
    series = {name: colour for name, colour in colours(page).items() if name.startswith("series")}
    assert len(series) == 5
    assert {
        name: contrast(colour, page) for name, colour in series.items() if contrast(colour, page) < 3
    } == {}


BLINDNESS = {
    "protanopia": (
        (0.152286, 1.052583, -0.204868),
        (0.114503, 0.786281, 0.099216),
        (-0.003882, -0.048116, 1.051998),
    ),
    "deuteranopia": (
        (0.367322, 0.860646, -0.227968),
        (0.280085, 0.672501, 0.047413),
        (-0.01182, 0.04294, 0.968881),
    ),
    "tritanopia": (
        (1.255528, -0.076749, -0.178779),
        (-0.078411, 0.930809, 0.147602),
        (0.004733, 0.691367, 0.3039),
    ),
}
"""What is left of linear red, green and blue, by Machado, Oliveira and Fernandes (2009)."""


def lab(colour: tuple[float, ...]) -> tuple[float, float, float]:
    matrix = ((0.4124, 0.3576, 0.1805), (0.2126, 0.7152, 0.0722), (0.0193, 0.1192, 0.9505))
    xyz = [sum(a * b for a, b in zip(row, colour, strict=True)) for row in matrix]
    x, y, z = (max(part / white, 0) ** (1 / 3) for part, white in zip(xyz, (0.9505, 1, 1.089), strict=True))
    return 116 * y - 16, 500 * (x - y), 200 * (y - z)


@pytest.mark.parametrize("blindness", BLINDNESS)
@pytest.mark.parametrize("page", THEMES)
def test_the_colour_blind_can_tell_colours_that_stand_side_by_side(page: str, blindness: str) -> None:
    def seen(colour: str) -> tuple[float, float, float]:
        rgb = linear(colour)
        return lab(tuple(sum(a * b for a, b in zip(row, rgb, strict=True)) for row in BLINDNESS[blindness]))

    series = sorted(
        colour for name, colour in colours(page).items() if name.startswith("series") and name != "series-0"
    )
    for one, other in combinations(series, 2):
        distance = sum((a - b) ** 2 for a, b in zip(seen(one), seen(other), strict=True)) ** 0.5
        assert distance > 12, (one, other)


def test_one_moment_has_one_label_and_dots_that_can_be_seen() -> None:
    svg = drawn(lines("One", "minute", [60.0], [Line("kept", [1.5]), Line("failed", [None])], "1/s"))
    assert [text for text in svg.itertext() if text == "00:01"] == ["00:01"]
    drawn_points = [line.get("points", "") for line in svg.iter(f"{SVG}polyline")]
    (points,) = (each for each in drawn_points if ",10 " not in each)  # the legend's lie there
    (left, height), (right, same) = (map(float, point.split(",")) for point in points.split())
    assert (right - left, height - same) == (DOT, 0)
