"""One file a kind, named as the kind is: the fields of its records that its tables read."""

from __future__ import annotations

from importlib import import_module

from tmdb_scrapy.kinds import Kind
from tmdb_scrapy.tables.entries import Record


def shape_of(kind: Kind) -> type[Record]:
    """What is read of the records of a kind."""
    shape: type[Record] = import_module(f"{__name__}.{kind.name}").Shape
    return shape
