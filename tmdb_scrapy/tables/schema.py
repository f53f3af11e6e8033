"""The tables as their SQL files describe them.

A file `sql/TABLE.sql` begins with a line about what one row is, goes on with CREATE TABLE, a column a line,
each with its meaning as a comment, and ends with the SELECT that fills the table from `records.KIND`. The
file of a view has CREATE VIEW alone, after the same first line.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

VERSION = "1"
"""Of the schema: raised when a table or a column changes its name, type or meaning."""

_FILE = re.compile(
    r"-- (?P<about>[^\n]*)\n(?P<create>CREATE (?P<what>TABLE|VIEW) .*?;)\n(?P<select>.*)", re.DOTALL
)
_COLUMN = re.compile(
    r"^    (?P<name>[a-z_]+) (?P<type>[A-Z]+)(?: (?P<rule>[^-\n]*?))?,?(?: -- (?P<about>.*))?$", re.MULTILINE
)
_KEY = re.compile(r"PRIMARY KEY \(([a-z_, ]+)\)")
_REFERENCE = re.compile(r"REFERENCES (?P<table>[a-z_]+) \((?P<column>[a-z_]+)\)")
_RECORDS = re.compile(r"\brecords\.([a-z_]+)")


@dataclass(frozen=True, slots=True)
class Column:
    name: str
    type: str
    about: str
    refers_to: tuple[str, str] | None
    """Table and column of which every value is one, or NULL."""


@dataclass(frozen=True, slots=True)
class Table:
    """A table, or a view, which has neither columns nor a key here."""

    name: str
    about: str
    """What one row is."""
    create: str
    select: str
    columns: tuple[Column, ...]
    key: tuple[str, ...]
    kinds: frozenset[str]
    """Of the records that it is made of."""

    @property
    def is_view(self) -> bool:
        return not self.columns

    @property
    def references(self) -> frozenset[str]:
        """The tables that its rows refer to."""
        return frozenset(column.refers_to[0] for column in self.columns if column.refers_to)


@cache
def table(name: str) -> Table:
    """The table of that name. Raises `FileNotFoundError`."""
    text = files(__package__).joinpath("sql", f"{name}.sql").read_text(encoding="utf-8")
    found = _FILE.fullmatch(text)
    if found is None:
        raise ValueError(f"{name}.sql has not the form that {__name__} describes")
    about, create, select = found["about"], found["create"], found["select"].strip()
    if found["what"] == "VIEW":
        return Table(name, about, create, "", (), (), frozenset())
    columns = tuple(_columns(create))
    kinds = frozenset(_RECORDS.findall(select))
    return Table(name, about, create, select, columns, _key(create), kinds)


def in_order(names: Iterable[str]) -> list[Table]:
    """The tables of these names, each after those that it refers to, and the views at the end."""
    ordered: dict[str, Table] = {}

    def place(wanted: Table) -> None:
        for other in sorted(wanted.references):
            place(table(other))
        ordered.setdefault(wanted.name, wanted)

    wanted = [table(name) for name in names]
    for one in sorted(wanted, key=lambda one: (one.is_view, one.name)):
        place(one)
    return list(ordered.values())


def _columns(create: str) -> Iterator[Column]:
    for found in _COLUMN.finditer(create):
        reference = _REFERENCE.search(found["rule"] or "")
        refers_to = (reference["table"], reference["column"]) if reference else None
        yield Column(found["name"], found["type"], found["about"] or "", refers_to)


def _key(create: str) -> tuple[str, ...]:
    listed = _KEY.search(create)
    if listed:
        return tuple(listed[1].split(", "))
    return tuple(
        found["name"] for found in _COLUMN.finditer(create) if "PRIMARY KEY" in (found["rule"] or "")
    )
