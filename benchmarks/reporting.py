"""A report as a table, as files, and in the README."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import msgspec

from benchmarks.chart import bar_chart
from benchmarks.figures import Figure, Outcome, Report

RESULTS = Path(__file__).parent / "results"
README = Path(__file__).parent / "README.md"
BEGIN, END = "<!-- results: written by --write-readme -->", "<!-- end of results -->"
HEADINGS = {"peers": "bodies as TMDb has them", "peers-26k": "26 KB for all", "processes": "two cores"}
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


def save(report: Report, directory: Path) -> None:
    """Write `latest.json`, and `chart.svg` if crawlers were compared."""
    directory.mkdir(parents=True, exist_ok=True)
    encoded = msgspec.json.format(msgspec.json.encode(report), indent=1)
    (directory / "latest.json").write_bytes(encoded + b"\n")
    groups = [
        (HEADINGS[outcome.scenario], [figure for figure in outcome.figures if figure.unit == "requests/s"])
        for outcome in report.outcomes
        if outcome.scenario in HEADINGS
    ]
    if groups:
        title = "Movies a second, the whole crawl, one core each"
        (directory / "chart.svg").write_text(bar_chart(title, groups), encoding="utf-8")


def load(directory: Path) -> Report:
    """The report that was saved last."""
    return msgspec.json.decode((directory / "latest.json").read_bytes(), type=Report)


def write_readme(report: Report, readme: Path = README) -> None:
    """Put the report between the two markers of the README."""
    text = readme.read_text(encoding="utf-8")
    before, begin, rest = text.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not (begin and end):
        raise ValueError(f"{readme} has no place for results: it needs the lines {BEGIN} and {END}")
    machine = ", ".join(f"{name} {value}" for name, value in report.machine.items())
    summary = (
        f"Measured {report.measured_at} with `{report.command}`; "
        f"load average before: {report.load_before:.2f}.\n"
        f"{machine}."
    )
    readme.write_text(
        f"{before}{begin}\n\n{summary}\n\n{render(report.outcomes)}\n\n{end}{after}", encoding="utf-8"
    )
