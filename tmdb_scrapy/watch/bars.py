"""Progress bars on a terminal; nothing where there is none."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from typing import TYPE_CHECKING

# Every command has a bar at hand, and few show one: what draws is imported by the first that does.
if TYPE_CHECKING:
    from rich.console import Console
    from rich.progress import Progress, ProgressColumn


@cache
def console() -> Console:
    """The terminal, if there is one, of bars and of what is said beside them."""
    from rich.console import Console

    return Console(stderr=True)


class Bar:
    """How far something has come."""

    def __init__(self, progress: Progress | None, what: str, total: int | None) -> None:
        self._progress = progress
        if progress:
            self._task = progress.add_task(what, total=total)

    def advance(self, count: int, total: int | None = None) -> None:
        """So much more has come, of `total` if that is known only now."""
        if self._progress:
            self._progress.update(self._task, advance=count, total=total)

    def reach(self, count: int, total: int | None = None) -> None:
        """So much has come in all."""
        if self._progress:
            self._progress.update(self._task, completed=count, total=total)

    def name(self, what: str) -> None:
        """What is being done now."""
        if self._progress:
            self._progress.update(self._task, description=what)


@contextmanager
def bytes_bar(what: str, total: int | None = None) -> Iterator[Bar]:
    """A bar that counts bytes."""
    if not sys.stderr.isatty():
        yield Bar(None, what, total)
        return
    from rich.progress import BarColumn, DownloadColumn, TextColumn, TimeRemainingColumn, TransferSpeedColumn

    text, left = TextColumn("{task.description}"), TimeRemainingColumn()
    with _shown(text, BarColumn(), DownloadColumn(), TransferSpeedColumn(), left) as progress:
        yield Bar(progress, what, total)


@contextmanager
def count_bar(what: str, total: int) -> Iterator[Bar]:
    """A bar that counts things."""
    if not sys.stderr.isatty():
        yield Bar(None, what, total)
        return
    from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeRemainingColumn

    text, left = TextColumn("{task.description}"), TimeRemainingColumn()
    with _shown(text, BarColumn(), MofNCompleteColumn(), left) as progress:
        yield Bar(progress, what, total)


def _shown(*columns: ProgressColumn) -> Progress:
    from rich.progress import Progress

    return Progress(*columns, console=console())
