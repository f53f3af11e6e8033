"""What a body says: one reader decides for everybody whose record it is and what it has."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, get_args, get_origin

import msgspec

from tmdb_scrapy.kinds import Appended, Deciding, Kind

MAY_BE_ABSENT = "season/"
"""A series has the seasons it has; TMDb leaves the others out. Every other appended name has to come."""


class BrokenRecord(ValueError):
    """A body that is no record of the ID that was asked for; the text says why."""


class AppendedAbsent(BrokenRecord):
    """A record without something that was to be appended: it is incomplete, not empty.

    TMDb drops names that it does not know without a word, and has served records without theirs for minutes.
    """

    def __init__(self, name: str) -> None:
        super().__init__(f"{name} was to be appended and is not there")
        self.name = name


@dataclass(slots=True)
class Record:
    """The item that every spider yields: the body as it came, and the fields that decide about it."""

    kind: Kind = field(repr=False)
    id: int
    """TMDb's ID."""
    body: bytes = field(repr=False)
    """The API's own JSON, byte for byte."""
    deciding: Deciding


class _Identified(msgspec.Struct):
    id: int | float


_identified = msgspec.json.Decoder(_Identified)
_ESCAPE = re.compile(
    rb"\\u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}"  # a whole pair
    rb"|(?P<half>\\u[dD][89a-fA-F][0-9a-fA-F]{2})"
    rb"|\\."
)


class RecordReader:
    """Reads the bodies of one kind. `appended` is what each of them must have."""

    def __init__(self, kind: Kind, appended: Sequence[str]) -> None:
        self._kind = kind
        names = [name for name in appended if not name.startswith(MAY_BE_ABSENT)]
        decided = {each.encode_name: each.name for each in msgspec.structs.fields(kind.deciding)}
        self._appended = [(name, decided.get(name, f"appended_{at}")) for at, name in enumerate(names)]
        added = [(name, attribute) for name, attribute in self._appended if name not in decided]
        fields: list[Any] = [("id", int | float, msgspec.field(default=0))]
        fields += [
            (attribute, Appended | None, msgspec.field(default=None, name=name)) for name, attribute in added
        ]
        self._struct = msgspec.defstruct(f"{kind.singular.title()}Body", fields, bases=(kind.deciding,))
        self._decoder: msgspec.json.Decoder[Any] = msgspec.json.Decoder(self._struct)

    def read(self, tmdb_id: int, body: bytes) -> Record:
        """The record in `body`.

        Raises `BrokenRecord` when it is not a JSON object with the ID `tmdb_id`, and `AppendedAbsent`.
        """
        try:
            found = self._found(body)
        except (msgspec.DecodeError, RecursionError) as error:
            readable = _readable(body)
            if readable == body:
                raise BrokenRecord(f"not JSON: {error}") from error
            return Record(self._kind, tmdb_id, body, self.read(tmdb_id, readable).deciding)
        if found.id != tmdb_id:
            raise BrokenRecord(f"a record without the ID that was asked for (it has {found.id!r})")
        _check_encoding(body)
        for name, attribute in self._appended:
            value = getattr(found, attribute)
            if value is None or value.success is False:
                raise AppendedAbsent(name)
        return Record(self._kind, tmdb_id, body, found)

    def _found(self, body: bytes) -> Any:
        try:
            return self._decoder.decode(body)
        except msgspec.ValidationError:
            return _lenient(_decoded(body), self._struct)


def id_in(line: bytes) -> int | None:
    """The ID of the record in a line of a JSON-lines file; None for a line that is no whole record."""
    if not line.endswith(b"\n"):
        return None
    try:
        _check_encoding(line)
        found = _identified.decode(line).id
    except (msgspec.DecodeError, BrokenRecord, RecursionError):
        readable = _readable(line)
        return id_in(readable) if readable != line else None
    return int(found) if found == found // 1 else None


def line_of(body: bytes) -> bytes:
    """The body as one line of a JSON-lines file: byte for byte save line breaks, which in valid JSON only
    stand outside strings."""
    if b"\n" in body or b"\r" in body:
        body = body.translate(None, b"\r\n")
    return body + b"\n"


def _readable(text: bytes) -> bytes:
    """JSON without half surrogate pairs (``\\ud800`` alone), for decoders that refuse what the grammar allows
    (RFC 8259, 8.2). Only to be read: what is kept stays as it came."""
    return _ESCAPE.sub(lambda found: rb"\ufffd" if found["half"] else found[0], text)


def _check_encoding(body: bytes) -> None:
    """msgspec validates the syntax of what it skips, but not its encoding. Raises `BrokenRecord`."""
    if not body.isascii():
        try:
            body.decode()
        except UnicodeDecodeError as error:
            raise BrokenRecord(f"not UTF-8: {error}") from error


def _decoded(body: bytes) -> dict[str, Any]:
    """A body with something that TMDb does not promise. What reads the merged file has to take it as well."""
    try:
        _identified.decode(body)
        found: dict[str, Any] = json.loads(body)
    except (msgspec.DecodeError, ValueError, RecursionError) as error:
        raise BrokenRecord(f"no record: {error}") from error
    return found


def _is_struct(annotation: Any) -> bool:
    return isinstance(annotation, type) and issubclass(annotation, msgspec.Struct)


def _lenient(found: dict[str, Any], struct: type[msgspec.Struct]) -> Any:
    """`found` as a `struct`; what has a type that TMDb does not promise is as if it were not there."""
    values = {}
    for each in msgspec.structs.fields(struct):
        if each.encode_name not in found:
            continue
        value = found[each.encode_name]
        nested = next((t for t in get_args(each.type) if _is_struct(t)), None)
        if nested is not None and isinstance(value, dict):
            values[each.name] = _lenient(value, nested)
            continue
        if isinstance(value, list) and any(get_origin(t) is list for t in get_args(each.type)):
            values[each.name] = value  # that something is in it is all that counts
            continue
        try:
            values[each.name] = msgspec.convert(value, each.type)
        except msgspec.ValidationError:
            continue
    return struct(**values)
