"""What commands take, for argparse: each makes a value of a text, or raises an `ArgumentTypeError` that says
what is allowed."""

from __future__ import annotations

import datetime
import math
from argparse import ArgumentTypeError
from collections.abc import Callable
from typing import TypeVar

from tmdb_scrapy.values import whole_number

Value = TypeVar("Value")


def argument(parse: Callable[[str], Value]) -> Callable[[str], Value]:
    """`parse`, which raises `ValueError` as those of `tmdb_scrapy.values` do, for argparse. (Of a
    `ValueError` argparse would tell the parser's name, and nothing of what is allowed.)"""

    def checked(text: str) -> Value:
        try:
            return parse(text)
        except ValueError as error:
            raise ArgumentTypeError(f"{text!r}: must be {error}") from None

    return checked


def _date(text: str) -> datetime.date:
    try:
        return datetime.date.fromisoformat(text)
    except ValueError:
        raise ValueError("a date such as 2026-08-31") from None


def _popularity(text: str) -> float:
    try:
        popularity = float(text)
    except ValueError:
        popularity = math.nan
    if not math.isfinite(popularity):
        raise ValueError("a number such as 0.6")
    return popularity


amount = argument(whole_number(0))
count = argument(whole_number(1))
port = argument(whole_number(0, 65_535))
date = argument(_date)
popularity = argument(_popularity)
