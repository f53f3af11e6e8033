"""The lines of a part or a merged file by reading it, for where there is no index that can be trusted."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from isal.isal_zlib import crc32

from tmdb_scrapy.records.index import HIGHEST_ID, Entry
from tmdb_scrapy.records.record import id_in

BUFFER_BYTES = 1 << 20


def read_lines(
    path: Path, start: int, end: int, answered_ns: int = 0
) -> Iterator[tuple[tuple[int, int], Entry | None]]:
    """Offset and length of each line between two offsets of a file, and its entry; None for a line that is no
    whole record. Raises `OSError`."""
    with path.open("rb", buffering=BUFFER_BYTES) as file:
        file.seek(start)
        offset = start
        while offset < end and (line := file.readline()):
            tmdb_id = id_in(line) if offset + len(line) <= end else None
            entry = None
            if tmdb_id is not None and 0 <= tmdb_id <= HIGHEST_ID:
                entry = Entry(tmdb_id, len(line), answered_ns, offset, crc32(line))
            yield (offset, len(line)), entry
            offset += len(line)
