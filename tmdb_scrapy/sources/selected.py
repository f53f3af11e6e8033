"""Which IDs a selection selects of an export, most popular first."""

from __future__ import annotations

from array import array
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from tmdb_scrapy.kinds import Kind
from tmdb_scrapy.sources.discover import read_discovered
from tmdb_scrapy.sources.export import Export, Line, lines_of
from tmdb_scrapy.sources.seeded import DISCOVER, Selection, most_popular_first


@dataclass(frozen=True, slots=True)
class Selected:
    """The IDs that a selection selects, most popular first, and the export that they are of."""

    ids: Sequence[int]
    export: Export


def select(selection: Selection, kind: Kind) -> Selected:
    """Read the export, or what was discovered, and select. Raises `ExportError`."""
    if selection.source == DISCOVER:
        return Selected(read_discovered(Path(selection.file)), Export(Path(selection.file)))
    export = Export(Path(selection.file))
    chosen: Iterable[Line] = (line for line in lines_of(export, kind) if selection.admits(line))
    if selection.limit:
        chosen = most_popular_first(chosen, selection.limit)
    return Selected(_ids_by_popularity(chosen), export)


def _ids_by_popularity(lines: Iterable[Line]) -> Sequence[int]:
    """As `most_popular_first`, and of an ID that comes twice its first alone: of a million, in 25 MB."""
    ids, popularity = array("I"), array("d")
    for line in lines:
        ids.append(line.id)
        popularity.append(line.popularity)
    if not ids:
        return ids
    column = np.frombuffer(ids, np.uintc)
    column = column[np.lexsort((column, -np.frombuffer(popularity)))]
    seen = np.zeros(int(column.max()) + 1, np.bool_)
    seen[column] = True
    if np.count_nonzero(seen) < len(column):
        _, firsts = np.unique(column, return_index=True)
        column = column[np.sort(firsts)]
    return array("I", column.tobytes())
