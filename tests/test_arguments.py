from __future__ import annotations

import datetime
from argparse import ArgumentTypeError
from collections.abc import Callable
from typing import Any

import pytest

from tmdb_scrapy import arguments


@pytest.mark.parametrize(
    ("argument", "text", "allowed"),
    [
        (arguments.amount, "-1", "a whole number from 0"),
        (arguments.amount, "1.5", "a whole number from 0"),
        (arguments.count, "0", "a whole number from 1"),
        (arguments.count, "", "a whole number from 1"),
        (arguments.port, "65536", "a whole number from 0 to 65535"),
        (arguments.port, "http", "a whole number from 0 to 65535"),
        (arguments.date, "2026-13-01", "a date such as 2026-08-31"),
        (arguments.date, "2026-02-30", "a date such as 2026-08-31"),
        (arguments.date, "yesterday", "a date such as 2026-08-31"),
        (arguments.popularity, "nan", "a number such as 0.6"),
        (arguments.popularity, "inf", "a number such as 0.6"),
        (arguments.popularity, "high", "a number such as 0.6"),
    ],
)
def test_what_is_no_such_value_is_refused_with_what_is_allowed(
    argument: Callable[[str], Any], text: str, allowed: str
) -> None:
    with pytest.raises(ArgumentTypeError, match=f"^{text!r}: must be {allowed}$"):
        argument(text)


def test_what_is_one_is_taken() -> None:
    assert arguments.amount("0") == 0
    assert arguments.count("1") == 1
    assert arguments.date("2026-08-31") == datetime.date(2026, 8, 31)
    assert arguments.popularity("0.6") == 0.6
