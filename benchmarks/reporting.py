"""A report as a table, as files, and in the README."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from pathlib import Path

import msgspec

from benchmarks.chart import bar_chart
from benchmarks.figures import Figure, Origin, Outcome, Report

RESULTS = Path(__file__).parent / "results"
README = Path(__file__).parent / "README.md"
BEGIN, END = "<!-- results: written by --write-readme -->", "<!-- end of results -->"
TITLE = "Movies a second, the whole crawl"
HEADINGS = {
    "peers": "one core each, bodies as TMDb has them",
    "peers-26k": "one core each, 26 KB for all",
    "processes": "two cores: our two workers beside the script, which can use one",
}
"""The scenarios that the chart shows."""
COLUMNS = ("what", "median", "runs", "goal", "")


def render(outcomes: Sequence[Outcome]) -> str:
    """Markdown tables, aligned so that they read well in a terminal too."""
    return "\n\n".join(_section(outcome) for outcome in outcomes)


def _section(outcome: Outcome) -> str:
    rows = [COLUMNS, *(_row(figure) for figure in outcome.figures)]
    widths = [max(len(row[column]) for row in rows) for column in range(len(COLUMNS))]
    lines = ["| " + " | ".join(map(str.ljust, row, widths)) + " |" for row in rows]
    lines.insert(1, "|" + "|".join("-" * (width + 2) for width in widths) + "|")
    table = lines if outcome.figures else []
    return "\n".join([f"### {outcome.scenario}", "", *table, *(f"\n{remark}" for remark in outcome.remarks)])


def _row(figure: Figure) -> tuple[str, ...]:
    few = figure.runs if 1 < len(figure.runs) <= 10 else []
    return (
        figure.name,
        f"{_number(figure.median)} {figure.unit}",
        " ".join(_number(run) for run in few),
        str(figure.goal or ""),
        figure.verdict,
    )


def _number(value: float) -> str:
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.2f}"


def save(outcome: Outcome, directory: Path, order: Sequence[str]) -> None:
    """Put an outcome into `latest.json` beside those of other runs, and draw `chart.svg` anew."""
    directory.mkdir(parents=True, exist_ok=True)
    report = load(directory)
    report.replace(outcome, order)
    encoded = msgspec.json.format(msgspec.json.encode(report), indent=1)
    (directory / "latest.json").write_bytes(encoded + b"\n")
    draw(report, directory)


def draw(report: Report, directory: Path) -> None:
    """Write `chart.svg`, if crawlers were compared."""
    groups = [
        (HEADINGS[known.scenario], [figure for figure in known.figures if figure.unit == "requests/s"])
        for known in report.outcomes
        if known.scenario in HEADINGS
    ]
    if groups:
        (directory / "chart.svg").write_text(bar_chart(TITLE, groups), encoding="utf-8")


def load(directory: Path) -> Report:
    """All that was saved so far; an empty report if nothing was."""
    path = directory / "latest.json"
    return msgspec.json.decode(path.read_bytes(), type=Report) if path.exists() else Report()


def write_readme(report: Report, readme: Path = README) -> None:
    """Put the report between the two markers of the README."""
    text = readme.read_text(encoding="utf-8")
    before, begin, rest = text.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not (begin and end):
        raise ValueError(f"{readme} has no place for results: it needs the lines {BEGIN} and {END}")
    runs = itertools.groupby(report.outcomes, key=lambda outcome: outcome.origin)
    sections = [f"{_told(origin)}\n\n{render(list(outcomes))}" for origin, outcomes in runs]
    results = "\n\n".join(sections)
    readme.write_text(f"{before}{begin}\n\n{results}\n\n{end}{after}", encoding="utf-8")


def _told(origin: Origin | None) -> str:
    if origin is None:
        return "Measured at an unknown time."
    machine = ", ".join(f"{name} {value}" for name, value in origin.machine.items())
    return (
        f"Measured {origin.measured_at} with `{origin.command}`; "
        f"load average before: {origin.load_before:.2f}.\n"
        f"{machine}."
    )
