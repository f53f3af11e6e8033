"""What is known of a crawl, and where it is known from: Redis, the parts, the file of changes."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

import msgspec

from tmdb_scrapy.kinds import Kind
from tmdb_scrapy.queue import History, Minute, Snapshot
from tmdb_scrapy.records.changes import changes_of, counts_in
from tmdb_scrapy.records.index import ENTRY_BYTES, HEADER_BYTES, index_of
from tmdb_scrapy.records.part import merged_file, parts_directory
from tmdb_scrapy.sources.export import CHUNK_BYTES, UNREADABLE, opened
from tmdb_scrapy.sources.seeded import SeededRecord

MOST_POINTS = 160
"""So many points a line over time has at most."""
_WORKER = re.compile(r"(?P<host>.+)-\d+-[0-9a-f]{6}")
"""The name of a part is its worker's: host, pid, six digits of chance."""


class Stretch(msgspec.Struct, frozen=True):
    """Some minutes of history together."""

    begins: float
    """Seconds since the epoch."""
    minutes: int
    sums: Minute


@dataclass(slots=True, kw_only=True)
class Crawl:
    """How one kind was crawled, as far as it is known."""

    kind: Kind
    exported: int = 0
    """Lines of the export that was seeded last; 0 where it is not here."""
    snapshot: Snapshot | None = None
    """None where Redis does not answer."""
    history: list[Stretch] = field(default_factory=list)
    hosts: Counter[str] = field(default_factory=Counter)
    """Records that the workers of each host wrote into parts that are here."""
    changes: Counter[str] = field(default_factory=Counter)
    """Of the last merge: how many records were added, updated and removed."""
    merged_at: datetime | None = None
    merged_bytes: int = 0

    @property
    def is_known(self) -> bool:
        """Whether there is anything to tell."""
        return bool(self.merged_at or self.hosts or (self.snapshot and self.snapshot.total))


def on_disk(data_dir: Path, kind: Kind) -> Crawl:
    """What the files of this machine tell. Raises `OSError`."""
    crawl = Crawl(kind=kind, exported=_exported(data_dir, kind))
    merged = merged_file(data_dir, kind)
    if merged.exists():
        status = merged.stat()
        crawl.merged_at = datetime.fromtimestamp(status.st_mtime, UTC)
        crawl.merged_bytes = status.st_size
        changes = changes_of(merged)
        crawl.changes = Counter(counts_in(changes) if changes.exists() else {})
    for part in sorted(parts_directory(data_dir, kind).rglob("*.jsonl")):
        index = index_of(part)
        if (worker := _WORKER.fullmatch(part.stem)) and index.exists():
            crawl.hosts[worker["host"]] += (index.stat().st_size - HEADER_BYTES) // ENTRY_BYTES
    return crawl


def _exported(data_dir: Path, kind: Kind) -> int:
    seeded = SeededRecord(data_dir / "exports", kind).all()
    path = Path(seeded[-1].file) if seeded else None
    if path is None or not path.exists():
        return 0
    try:
        with opened(path) as lines:
            return sum(chunk.count(b"\n") for chunk in iter(partial(lines.read, CHUNK_BYTES), b""))
    except UNREADABLE:  # type: ignore[misc]  # isal types its error as a value
        return 0  # seeding says what is wrong with it


def stretches(history: History) -> list[Stretch]:
    """The minutes from the first to the last in which anything happened, few enough for a chart."""
    if not history:
        return []
    first, last = min(history), max(history)
    length = -(-(last - first + 1) // MOST_POINTS)
    sums: dict[int, Minute] = {}
    for minute, what in history.items():
        place = (minute - first) // length
        sums[place] = sums.get(place, Minute()) | what
    return [
        Stretch(
            (first + place * length) * 60.0,
            min(length, last + 1 - first - place * length),
            sums.get(place, Minute()),
        )
        for place in range((last - first) // length + 1)
    ]
