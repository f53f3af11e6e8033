"""Lines of a merged file become records: strictly where all is as TMDb sends it, value by value elsewhere."""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from types import UnionType
from typing import Annotated, Any, TypeVar, Union, get_args, get_origin, get_type_hints

import msgspec

from tmdb_scrapy.tables.entries import Record

LARGEST = 2**63 - 1
_ODD = (msgspec.DecodeError, UnicodeDecodeError)
"""What the strict reading raises; a ValidationError is a DecodeError. Some of it is no fault of the line."""

R = TypeVar("R", bound=Record)


class Unreadable(ValueError):
    """A line is no record; the text says why."""


def reader(shape: type[R]) -> Callable[[bytes], R]:
    """A function from a line to its record. It raises `Unreadable` when the line has no JSON object with a
    whole number as `id`, as RFC 8259 has it.

    A value that its column cannot hold (2.5 for a whole number, text for a list) is read as null, and the
    rest of the record as it is. Of a name that stands twice in an object the last counts, as in Python.
    """
    strict = msgspec.json.Decoder(shape).decode

    def read(line: bytes) -> R:
        try:
            return strict(line)
        except _ODD:
            return _leniently(line, shape)
        except RecursionError:
            raise Unreadable("nested too deeply") from None

    return read


def _leniently(line: bytes, shape: type[R]) -> R:
    try:
        value = json.loads(line.decode(), parse_constant=_refuse, parse_int=_integer)
    except (ValueError, RecursionError) as error:
        raise Unreadable(f"no JSON: {error}") from None
    record = _fitting(value, shape)
    if record is None:
        raise Unreadable("no JSON object with a whole number as id")
    assert isinstance(record, shape)
    return record


def _refuse(constant: str) -> None:
    raise ValueError(f"{constant} is no JSON")


def _integer(digits: str) -> int | float:
    """What has more digits than any column holds is a float: Python would refuse to read 5,000 of them."""
    return int(digits) if len(digits) <= len(str(-LARGEST)) else float(digits)


def _fitting(value: object, wanted: Any) -> Any:
    """`value` as `wanted` has it, or None. Lists keep their length, so that positions stay true."""
    wanted = _without_null(wanted)
    if get_origin(wanted) is list:
        (of,) = get_args(wanted)
        return [_fitting(one, of) for one in value] if isinstance(value, list) else None
    if isinstance(wanted, type) and issubclass(wanted, msgspec.Struct):
        return _struct(value, wanted) if isinstance(value, dict) else None
    return _SCALARS[wanted](value)


def _without_null(wanted: Any) -> Any:
    """`int` of `Annotated[int, …] | None`."""
    if get_origin(wanted) in (Union, UnionType):
        (wanted,) = (one for one in get_args(wanted) if one is not type(None))
    return get_args(wanted)[0] if get_origin(wanted) is Annotated else wanted


def _struct(value: dict[str, object], wanted: type[msgspec.Struct]) -> msgspec.Struct | None:
    types = get_type_hints(wanted, include_extras=True)
    values = {name: _fitting(value.get(name), types[name]) for name in wanted.__struct_fields__}
    if issubclass(wanted, Record) and values["id"] is None:
        return None
    return wanted(**values)


def _whole(value: object) -> int | None:
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    if isinstance(value, int) and not isinstance(value, bool) and -LARGEST - 1 <= value <= LARGEST:
        return value
    return None


def _number(value: object) -> float | None:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    try:
        return float(value) if math.isfinite(value) else None
    except OverflowError:
        return None


def _text(value: object) -> str | None:
    """Half a surrogate pair is no character, and no file format holds one: U+FFFD stands for it."""
    return (
        value.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
        if isinstance(value, str)
        else None
    )


_SCALARS: dict[type, Callable[[object], Any]] = {
    int: _whole,
    float: _number,
    str: _text,
    bool: lambda value: value if isinstance(value, bool) else None,
}
