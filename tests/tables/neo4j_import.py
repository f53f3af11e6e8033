"""The rules of `neo4j-admin database import`, as its manual has them, as a reader of its files.

https://neo4j.com/docs/operations-manual/current/import/: fields may be quoted with `"`, which is doubled
within; a backslash is an ordinary character; nothing between two commas is no value; a header's field is
NAME, NAME:TYPE, :ID(SPACE), :START_ID(SPACE) or :END_ID(SPACE); IDs are unique within their space; a
relationship whose node is not there is an error; only `true` is true.
"""

from __future__ import annotations

import datetime
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

HEADER = re.compile(r"(?P<name>[A-Za-z_][A-Za-z_0-9]*)?(?::(?P<type>[A-Za-z_]+)(?:\((?P<space>\w+)\))?)?")
READ: dict[str, Callable[[str], Any]] = {
    "string": str,
    "long": int,
    "double": float,
    "date": datetime.date.fromisoformat,
    "boolean": {"true": True, "false": False}.__getitem__,
}
Field = str | None


def fields(text: str) -> Iterator[list[Field]]:
    """The records of a file, each a list of fields."""
    record: list[Field] = []
    place = 0
    while place < len(text):
        field, place = _quoted(text, place) if text[place] == '"' else _plain(text, place)
        record.append(field)
        end = text[place : place + 1]
        assert end in {",", "\n", ""}, f"a field ends with {end!r} at {place}"
        place += 1
        if end == ",":
            if text[place : place + 1] in {"\n", ""}:
                record.append(None)
                place += 1
                yield record
                record = []
            continue
        yield record
        record = []


def _quoted(text: str, place: int) -> tuple[str, int]:
    parts = []
    while True:
        end = text.index('"', place + 1)
        parts.append(text[place + 1 : end])
        if text[end + 1 : end + 2] != '"':
            return '"'.join(parts), end + 1
        place = end + 1


def _plain(text: str, place: int) -> tuple[Field, int]:
    found = re.compile(r'[^,\n"]*').match(text, place)
    assert found is not None
    return found[0] or None, found.end()


class Graph:
    """What an import of a folder would make, by the options of its `import.sh`."""

    def __init__(self, directory: Path) -> None:
        script = (directory / "import.sh").read_text(encoding="utf-8")
        assert "--multiline-fields=true" in script
        self.nodes: dict[str, dict[str, dict[str, Any]]] = {}
        """By label and ID, their properties."""
        self.relationships: dict[str, list[tuple[str, str, dict[str, Any]]]] = {}
        """By type: from, to, properties."""
        for label, file in re.findall(r"--nodes=(\w+)=(\S+)", script):
            self._read_nodes(label, directory / file)
        for kind, file in re.findall(r"--relationships=(\w+)=(\S+)", script):
            self._read_relationships(kind, directory / file)
        files = {path.stem for path in directory.glob("*.csv")}
        assert files == {*self.nodes, *self.relationships}

    def _read_nodes(self, label: str, path: Path) -> None:
        self.nodes[label] = {}
        for header, record in _records(path):
            ids = [
                value
                for (_, of, space), value in zip(header, record, strict=True)
                if of == "ID" and space == label
            ]
            assert len(ids) == 1
            assert ids[0] is not None
            assert ids[0] not in self.nodes[label], f"{ids[0]} twice"
            self.nodes[label][ids[0]] = _properties(header, record)

    def _read_relationships(self, kind: str, path: Path) -> None:
        self.relationships[kind] = []
        for header, record in _records(path):
            ends = {of: (space, value) for (_, of, space), value in zip(header, record, strict=True) if space}
            for space, value in ends.values():
                assert value in self.nodes[space], f"{kind}: an edge into nothing, {space} {value}"
            start, end = ends["START_ID"][1], ends["END_ID"][1]
            assert start is not None
            assert end is not None
            self.relationships[kind].append((start, end, _properties(header, record)))


Header = list[tuple[str | None, str, str | None]]


def _records(path: Path) -> Iterator[tuple[Header, list[Field]]]:
    records = fields(path.read_bytes().decode())
    header: Header = []
    for one in next(records):
        found = HEADER.fullmatch(one or "")
        assert found, one
        header.append((found["name"], found["type"] or "string", found["space"]))
    for record in records:
        assert len(record) == len(header), record
        yield header, record


def _properties(header: Header, record: list[Field]) -> dict[str, Any]:
    return {
        name: READ[of](value)
        for (name, of, space), value in zip(header, record, strict=True)
        if name and not space and value is not None
    }
