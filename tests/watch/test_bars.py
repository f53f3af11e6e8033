"""Bars that count what comes, where there is a terminal to show them on."""

from __future__ import annotations

import io
from types import SimpleNamespace

import pytest
from rich.console import Console

from tmdb_scrapy.watch import bars
from tmdb_scrapy.watch.bars import bytes_bar, count_bar


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.fixture
def terminal(monkeypatch: pytest.MonkeyPatch) -> io.StringIO:
    screen = Terminal()
    monkeypatch.setattr(bars, "sys", SimpleNamespace(stderr=screen))
    monkeypatch.setattr(
        bars, "console", lambda: Console(file=screen, force_terminal=True, color_system=None, width=100)
    )
    return screen


def test_bytes_that_came_of_how_many_is_known_later(terminal: io.StringIO) -> None:
    with bytes_bar("export") as bar:
        bar.reach(2_000_000, 8_000_000)
        bar.advance(1_000_000, 8_000_000)
        bar.name("writing")
    assert "writing" in terminal.getvalue()
    assert "3.0/8.0 MB" in terminal.getvalue()


def test_things_that_were_done(terminal: io.StringIO) -> None:
    with count_bar("seeding", 500) as bar:
        bar.advance(200)
        bar.advance(300)
    assert "500/500" in terminal.getvalue()


def test_nothing_is_shown_where_nobody_looks(capsys: pytest.CaptureFixture[str]) -> None:
    with bytes_bar("export", 10) as bar:
        bar.reach(5)
    with count_bar("seeding", 10) as bar:
        bar.advance(10)
    assert capsys.readouterr() == ("", "")
