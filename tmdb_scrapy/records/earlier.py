"""The merged file that is there before a merge, with an index that fits it."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from tmdb_scrapy.records.checked import spoilt_ids
from tmdb_scrapy.records.columns import ENTRY, Entries, all_entries, write_index
from tmdb_scrapy.records.index import Entry, SortedIndex, checksum_and_bytes, index_of, read_header
from tmdb_scrapy.records.lines import read_lines
from tmdb_scrapy.records.merged import index_fits, merged_header


class Earlier:
    """A merged file whose lines can be had by ID."""

    def __init__(
        self, path: Path, index: SortedIndex, damage: list[tuple[int, int]], spoilt: list[int]
    ) -> None:
        self.path = path
        self.damage = damage
        """Offset and length of each line that is no whole record, or a second one of its ID."""
        self.spoilt = spoilt
        """IDs whose lines are not as they were merged; only looked for when asked to."""
        self._index = index

    @property
    def size(self) -> int:
        return self._index.header.which

    @property
    def highest_id(self) -> int:
        """-1 of a file without lines."""
        return self._index.entry(len(self._index) - 1).id if len(self._index) else -1

    def blocks(self) -> Iterator[Entries]:
        """All lines by ID, in ascending order. Raises `OSError`."""
        return all_entries(self._index.path)

    def find_good(self, tmdb_id: int) -> Entry | None:
        """The line of an ID; None when it has none, or one that is known to be spoilt."""
        return None if tmdb_id in self.spoilt else self._index.find(tmdb_id)


@contextlib.contextmanager
def open_earlier(merged: Path, *, check: bool = False) -> Iterator[Earlier | None]:
    """The merged file, None when there is none. One without an index that fits gets one by being read.

    Raises `OSError`.
    """
    if not merged.exists():
        yield None
        return
    damage = [] if index_fits(merged) else _make_index(merged)
    spoilt = spoilt_ids(merged) if check else []
    with SortedIndex(index_of(merged)) as index:
        yield Earlier(merged, index, damage, spoilt)


def _make_index(merged: Path) -> list[tuple[int, int]]:
    """Of two lines of an ID the first counts. Returns offset and length of the others, and of all that is no
    whole record. Memory: 100 bytes a line."""
    status = merged.stat()
    damage: list[tuple[int, int]] = []
    packed = bytearray()
    for place, entry in read_lines(merged, 0, status.st_size):
        if entry is None:
            damage.append(place)
        else:
            packed += entry.packed()
    found = np.frombuffer(packed, ENTRY)
    _, first = np.unique(found["id"], return_index=True)
    repeated = np.delete(found, first)
    damage += zip(repeated["offset"].tolist(), repeated["length"].tolist(), strict=True)
    lines = found[first]
    _remember_answers(lines, index_of(merged))
    write_index(index_of(merged), merged_header(status), [lines])
    return damage


def _remember_answers(lines: Entries, older: Path) -> None:
    """Of lines that an index of another state of the file has too, it tells when they were answered. Of the
    others that is not known: any line of a part is taken to be newer."""
    header = read_header(older)
    if header is None or checksum_and_bytes(older)[0] != header.crc:
        return
    for known in all_entries(older):
        places = np.searchsorted(lines["id"], known["id"])
        known, places = known[places < len(lines)], places[places < len(lines)]
        same = np.logical_and.reduce(
            [lines[column][places] == known[column] for column in ("id", "length", "crc")]
        )
        lines["answered_ns"][places[same]] = known["answered_ns"][same]
