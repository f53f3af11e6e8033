"""What the text of a command line option may be."""

from __future__ import annotations

from argparse import ArgumentTypeError
from datetime import date
from pathlib import Path

from tmdb_scrapy.kinds import KINDS
from tmdb_scrapy.sandbox.server.calendar import parse_date

_HIGHEST_PORT = 65535


def count(text: str) -> int:
    if not (text.isascii() and text.isdigit()):
        raise ArgumentTypeError(f"{text!r}: expected a whole number from 0")
    return int(text)


def port(text: str) -> int:
    number = count(text)
    if number > _HIGHEST_PORT:
        raise ArgumentTypeError(f"{text!r}: expected a port from 0 to {_HIGHEST_PORT}")
    return number


def share(text: str) -> float:
    try:
        number = float(text)
    except ValueError:
        number = -1
    if not 0 <= number <= 1:
        raise ArgumentTypeError(f"{text!r}: expected a share from 0 to 1, for example 0.05")
    return number


def retry_after(text: str) -> int | str:
    return text if text == "none" else count(text)


def fault(text: str) -> tuple[str, float]:
    """`503=0.05`; whether there is such a fault is judged with the other settings."""
    kind, _, given = text.partition("=")
    try:
        return kind, float(given)
    except ValueError:
        raise ArgumentTypeError(f"{text!r}: expected KIND=SHARE, for example 503=0.05") from None


def name_and_share(text: str) -> tuple[str, float]:
    """`credits=0.5`; a name alone means always."""
    name, equals, given = text.partition("=")
    if not name:
        raise ArgumentTypeError(f"{text!r}: expected NAME or NAME=SHARE, for example credits=0.5")
    return name, share(given) if equals else 1.0


def ids(text: str) -> list[int]:
    try:
        return [int(number) for number in text.split(",")]
    except ValueError:
        raise ArgumentTypeError(f"{text!r}: expected IDs parted by commas") from None


def day(text: str) -> date:
    try:
        return parse_date(text)
    except ValueError:
        raise ArgumentTypeError(f"{text!r}: expected a date such as 2026-08-31") from None


def records_file(text: str) -> tuple[str, Path]:
    """`tv=series.jsonl`, or a path alone, which says nothing of the kind."""
    kind, equals, path = text.partition("=")
    return (kind, Path(path)) if equals and kind in KINDS else ("", Path(text))
