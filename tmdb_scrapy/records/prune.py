"""Parts that are wholly in the merged file and that nobody writes are removed."""

from __future__ import annotations

import contextlib
import fcntl
from collections.abc import Collection
from pathlib import Path

import numpy as np

from tmdb_scrapy.kinds import Kind
from tmdb_scrapy.records import ledger as ledgers
from tmdb_scrapy.records.columns import Column
from tmdb_scrapy.records.earlier import Earlier, open_earlier
from tmdb_scrapy.records.index import index_of
from tmdb_scrapy.records.merge_lock import merge_lock
from tmdb_scrapy.records.part import merged_file, parts_directory
from tmdb_scrapy.records.part_lines import PartLines


def prune(data_dir: Path, kind: Kind, ledger: bytes, workers: Collection[str]) -> list[Path]:
    """Remove each part of which the merged file has every ID, by a line as new or newer, or of whose IDs the
    ledger says that they have none. A worker with a heartbeat (`workers`), or that lives on this machine and
    holds its part, may write more; so may whoever made a part longer while this looked.

    Returns the parts that were removed. Raises `OSError`, and `MergeIsRunning`.
    """
    removed: list[Path] = []
    with merge_lock(data_dir / kind.name), open_earlier(merged_file(data_dir, kind)) as merged:
        if merged is None:
            return removed
        needless_before_ns = _needless_before_ns(merged, ledger)
        parts = parts_directory(data_dir, kind)
        for path in sorted(parts.glob("*.jsonl")):
            if path.stem not in workers and _is_merged(part := PartLines(path), needless_before_ns):
                removed += _remove(path, part.size)
        for index in parts.glob("*.index"):
            # Killed between the two files, a worker or a prune leaves one of them.
            if index.stem not in workers and not index.with_suffix(".jsonl").exists():
                index.unlink()
    return removed


def _needless_before_ns(merged: Earlier, ledger: bytes) -> Column:
    """By ID, and at the end for all beyond: a line of a part that was answered before this is not needed."""
    needless = np.zeros(max(len(ledger), merged.highest_id + 1) + 1, np.uint64)
    for lines in merged.blocks():
        needless[lines["id"]] = lines["answered_ns"] + 1
    standings = np.frombuffer(ledgers.standings(ledger), np.uint8)
    needless[: len(ledger)][standings == ledgers.GONE[0]] = np.iinfo(np.uint64).max
    return needless


def _is_merged(part: PartLines, needless_before_ns: Column) -> bool:
    """An empty part is not: its worker may just have begun."""
    last = len(needless_before_ns) - 1
    return part.size > 0 and all(
        np.all(lines["answered_ns"] < needless_before_ns[np.minimum(lines["id"], last)])
        for lines in part.blocks()
    )


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
