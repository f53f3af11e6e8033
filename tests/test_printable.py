"""Text of anybody steers no terminal."""

from __future__ import annotations

import pytest

from tmdb_scrapy.commands.base import complain
from tmdb_scrapy.printable import LONGEST_LINE, line, printable


@pytest.mark.parametrize("text", ["", "Amélie", "千と千尋の神隠し", "🎬 👩‍💻", "a\tb\nc", "[red]{x}"])
def test_what_people_write_stays_as_it_is(text: str) -> None:
    assert printable(text) == text


@pytest.mark.parametrize("steers", [*map(chr, range(9)), *"\x0b\r\x1b\x7f\x9b\u202e\u2066", "\ud800"])
def test_what_steers_is_shown(steers: str) -> None:
    assert printable(f"a{steers}b") == "a\ufffdb"


def test_a_line_is_one_and_ends() -> None:
    assert line("a\r\n\t b\u2028c\r") == "a b c"
    assert len(line("x" * 10_000)) == LONGEST_LINE
    assert line("x" * LONGEST_LINE) == "x" * LONGEST_LINE


def test_what_a_command_says_goes_wrong_steers_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    complain("Redis answered: \x1b[2J\nthe second line")
    assert capsys.readouterr().err == "tmdb: Redis answered: \ufffd[2J\nthe second line\n"
