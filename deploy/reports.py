"""What a fleet command did: a line a host, failures in red, then each failure's reason and next step."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeVar

from invoke.exceptions import Exit
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from deploy.ssh.failures import HostFailure
from deploy.ssh.hosts import Host

Result = TypeVar("Result")
MEBIBYTE = 1 << 20


def report(
    title: str,
    columns: Sequence[str],
    results: dict[Host, Result | HostFailure],
    cells: Callable[[Result], Sequence[str]],
    console: Console | None = None,
) -> None:
    """Print `results`; raises `Exit` with status 1 when one of them is a failure."""
    console = console or Console()
    table = Table(title=title, title_justify="left")
    for name in ("host", *columns):
        table.add_column(name, overflow="fold")
    failures = []
    for host, result in results.items():
        if isinstance(result, HostFailure):
            failures.append((host, result))
            row = ["failed", *[""] * (len(columns) - 1)]
            table.add_row(escape(str(host)), *row, style="red")
        else:
            table.add_row(escape(str(host)), *(escape(cell) for cell in cells(result)))
    console.print(table)
    for host, failure in failures:
        explain(host, failure, console)
    if failures:
        raise Exit(f"{len(failures)} of {len(results)} hosts failed", code=1)


def report_and_go_on(
    title: str,
    columns: Sequence[str],
    results: dict[Host, Result | HostFailure],
    cells: Callable[[Result], Sequence[str]],
) -> bool:
    """Print `results`; returns whether none of them is a failure, for what can be done all the same."""
    try:
        report(title, columns, results, cells)
    except Exit as failure:
        print(failure)
        return False
    return True


def explain(host: Host, failure: HostFailure, console: Console) -> None:
    """The reason and the next step; never wrapped, so that commands in it can be copied."""
    console.print(
        f"[red]{escape(str(host))}: {escape(failure.reason)}[/red]", soft_wrap=True, highlight=False
    )
    if failure.advice:
        console.print(f"    {escape(failure.advice)}", soft_wrap=True, highlight=False)


def megabytes(size: int) -> str:
    """For a table."""
    return f"{size / MEBIBYTE:,.0f} MB" if size >= 10 * MEBIBYTE else f"{size / MEBIBYTE:,.1f} MB"
