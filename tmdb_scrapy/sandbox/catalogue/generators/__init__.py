"""What makes each kind's records: a file of the kind's name where plain records would not do."""

from __future__ import annotations

from importlib import import_module
from importlib.util import find_spec

from tmdb_scrapy.kinds import Kind
from tmdb_scrapy.sandbox.catalogue.generator import Generator


def generator_of(kind: Kind) -> type[Generator]:
    """The class in the file that is named as the kind, or the plain one."""
    name = f"{__name__}.{kind.name}"
    if find_spec(name) is None:
        return Generator
    generator: type[Generator] = import_module(name).GENERATOR
    return generator
