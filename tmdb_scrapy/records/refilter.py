"""The filter's rule over records that are there: other limits cost one pass, not a crawl."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, BinaryIO

from tmdb_scrapy.kinds import Kind
from tmdb_scrapy.records.record import AppendedAbsent, BrokenRecord, RecordReader, id_in

BUFFER_BYTES = 1 << 20
REPORT_LINES = 1_000


@dataclass(slots=True)
class Refiltered:
    """How many lines went where."""

    kept: int = 0
    dropped: Counter[str] = field(default_factory=Counter)
    """By the first reason."""
    undecided: int = 0
    """Without what the rule needs."""
    broken: int = 0
    """No whole records."""


def refilter(
    merged: Path,
    kind: Kind,
    settings: Mapping[str, Any],
    output: BinaryIO,
    report: Callable[[int], object],
) -> Refiltered:
    """Write the lines of `merged` that qualify by the limits in `settings`, as they are. `report` is called
    with the bytes that were read since the last call. Raises `OSError`."""
    assert kind.filter is not None
    reader, result, read = RecordReader(kind, kind.filter.needs), Refiltered(), 0
    with merged.open("rb", buffering=BUFFER_BYTES) as lines:
        for number, line in enumerate(lines, 1):
            read += len(line)
            if number % REPORT_LINES == 0:
                report(read)
                read = 0
            try:
                record = reader.read(id_in(line) or 0, line.rstrip(b"\n"))
            except AppendedAbsent:
                result.undecided += 1
                continue
            except BrokenRecord:
                result.broken += 1
                continue
            reason = kind.filter.disqualify(record.deciding, settings)
            if reason is None:
                result.kept += 1
                output.write(line)
            else:
                result.dropped[reason] += 1
    report(read)
    return result
