"""Parts that are wholly in the merged file and that nobody writes are removed."""

from __future__ import annotations

import contextlib
import fcntl
from collections.abc import Collection
from pathlib import Path

from tmdb_scrapy.kinds import Kind
from tmdb_scrapy.records import ledger as ledgers
from tmdb_scrapy.records.earlier import Earlier, open_earlier
from tmdb_scrapy.records.index import index_of
from tmdb_scrapy.records.lines import PartLines
from tmdb_scrapy.records.merge import alone
from tmdb_scrapy.records.part import merged_file, parts_directory


def prune(data_dir: Path, kind: Kind, ledger: bytes, workers: Collection[str]) -> list[Path]:
    """Remove each part of which the merged file has every ID, by a line as new or newer, or of whose IDs the
    ledger says that they have none. A worker with a heartbeat (`workers`), or that lives on this machine and
    holds its part, may write more; so may whoever made a part longer while this looked.

    Returns the parts that were removed. Raises `OSError`, and `MergeIsRunning`.
    """
    removed: list[Path] = []
    standings = ledgers.standings(ledger)
    with alone(data_dir / kind.name), open_earlier(merged_file(data_dir, kind)) as merged:
        if merged is None:
            return removed
        parts = parts_directory(data_dir, kind)
        for path in sorted(parts.glob("*.jsonl")):
            if path.stem not in workers and _is_merged(part := PartLines(path), merged, standings):
                removed += _remove(path, part.size)
        for index in parts.glob("*.index"):
            # Killed between the two files, a worker or a prune leaves one of them.
            if index.stem not in workers and not index.with_suffix(".jsonl").exists():
                index.unlink()
    return removed


def _is_merged(part: PartLines, merged: Earlier, standings: bytes) -> bool:
    """An empty part is not: its worker may just have begun."""
    for entry in part:
        line = merged.index.find(entry.id)
        if line is not None and line.answered_ns >= entry.answered_ns:
            continue
        if standings[entry.id : entry.id + 1] != ledgers.GONE:
            return False
    return part.size > 0


def _remove(path: Path, size: int) -> list[Path]:
    with path.open("rb") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return []
        except OSError:
            pass  # a file system without locks: the heartbeats have to do
        if path.stat().st_size != size:
            return []
        # The part goes first: one without its index would count as answered when its file was written.
        path.unlink()
        with contextlib.suppress(FileNotFoundError):
            index_of(path).unlink()
    return [path]
