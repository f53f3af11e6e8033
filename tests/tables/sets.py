"""Sets of tables from lines."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from tmdb_scrapy.kinds import KINDS
from tmdb_scrapy.tables.building import Order, Report, build
from tmdb_scrapy.tables.schema import in_order
from tmdb_scrapy.tables.source import Source, unknown_age

DECLARED = {name: kind.tables for name, kind in KINDS.items() if kind.tables}
SILENT = Report(read=lambda count: None, writing=lambda table: None)


def line(record: dict[str, Any]) -> bytes:
    return json.dumps(record).encode() + b"\n"


def order_of(directory: Path, *formats: str, **answered: Callable[[int], int | None]) -> Order:
    """All that can be made of the merged files in a directory."""
    paths = {name: directory / f"{name}.jsonl" for name in DECLARED}
    names = [name for name in DECLARED if paths[name].exists()]
    return Order(
        sources=[
            Source(KINDS[name], paths[name], paths[name].open("rb"), answered.get(name, unknown_age))
            for name in names
        ],
        unread=[KINDS[name] for name in DECLARED if name not in names],
        tables=in_order(dict.fromkeys(table for name in names for table in DECLARED[name])),
        formats=formats,
    )


def make_set(
    directory: Path, lines: dict[str, list[bytes]], *formats: str, **answered: Callable[[int], int | None]
) -> Path:
    """Write merged files into `directory` and their tables into the one that is returned, within it."""
    for kind, of_kind in lines.items():
        (directory / f"{kind}.jsonl").write_bytes(b"".join(of_kind))
    target = directory / "set"
    target.mkdir()
    build(order_of(directory, *formats, **answered), target, SILENT)
    return target
