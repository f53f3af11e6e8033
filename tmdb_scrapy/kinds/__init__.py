"""The kinds of records, one file a kind. To add a kind is to add a file with a `KIND` to this folder."""

from __future__ import annotations

import pkgutil
from collections.abc import Mapping
from importlib import import_module
from types import MappingProxyType

from tmdb_scrapy.kinds.kind import Appended, Deciding, Filter, Kind

FIRST = "movies"
"""What a command is about when nothing is said."""


def _found() -> Mapping[str, Kind]:
    modules = (import_module(f"{__name__}.{module.name}") for module in pkgutil.iter_modules(__path__))
    kinds: list[Kind] = [module.KIND for module in modules if hasattr(module, "KIND")]
    kinds.sort(key=lambda kind: (kind.name != FIRST, not kind.has_popularity, kind.name))
    return MappingProxyType({kind.name: kind for kind in kinds})


KINDS: Mapping[str, Kind] = _found()
"""Every kind by its name: movies first, then those with a popularity, then by name."""

__all__ = ["FIRST", "KINDS", "Appended", "Deciding", "Filter", "Kind"]
