"""Parts become one file: the newest line of each ID that has a right to one, checked and copied unparsed."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from tmdb_scrapy.kinds import Kind
from tmdb_scrapy.queue import State
from tmdb_scrapy.records import collected
from tmdb_scrapy.records.choosing import KEPT, Choice, choose
from tmdb_scrapy.records.chosen import NOWHERE
from tmdb_scrapy.records.columns import Column
from tmdb_scrapy.records.earlier import Earlier, open_earlier
from tmdb_scrapy.records.merge_lock import merge_lock
from tmdb_scrapy.records.part import merged_file, parts_directory
from tmdb_scrapy.records.part_lines import PartLines
from tmdb_scrapy.records.writing import Report, Writing


@dataclass(slots=True)
class Merged:
    """What a merge did, in lines."""

    path: Path
    parts: int = 0
    written: int = 0
    """Lines that the file has now."""
    added: int = 0
    updated: int = 0
    removed: int = 0
    duplicates: int = 0
    """Lines of parts that are older than another of a part: the ID was fetched again."""
    unsettled: int = 0
    """Lines of parts whose IDs have no right to one: their worker died before it settled them, or they were
    dropped since."""
    torn: int = 0
    """Lines that are no whole record, among those that no index has."""
    spoilt: list[int] = field(default_factory=list)
    """IDs whose newest line is not as it was written."""
    not_kept: int = 0
    """Lines of IDs that are not kept, and stay because no settled outcome speaks against them."""
    without_line: int = 0
    """IDs that the ledger calls kept but no part has, though it would be here. Without the spoilt ones."""
    elsewhere: int = 0
    """IDs without a line here that were kept since parts of other machines were last collected."""


def merge(
    data_dir: Path, kind: Kind, ledger: bytes, report: Report, *, drop: bool = False, check: bool = False
) -> Merged:
    """Bring `merged_file`, its index and its changes up to date, replacing each at once when all is written.

    `ledger` must be read before the call: what it calls kept is in the parts by then. It says which IDs have
    a line (`tmdb_scrapy.records.ledger`; with `drop` the kept ones only); the time of the answer says which
    line. `check` compares the earlier file with its index first, line by line; else only new lines are.

    Memory: the ledger, 32 bytes for each possible ID, and a batch of lines.

    Raises `OSError`, and `MergeIsRunning`; the earlier file is untouched then.
    """
    target = merged_file(data_dir, kind)
    with merge_lock(data_dir / kind.name), open_earlier(target, check=check) as earlier:
        parts = [PartLines(path) for path in sorted(parts_directory(data_dir, kind).glob("*.jsonl"))]
        choice = choose(earlier, parts, ledger, drop=drop)
        writing = Writing(target, earlier, parts, choice.chosen, report)
        changes = writing.write()
        result = Merged(
            target,
            parts=len(parts),
            **changes,
            duplicates=choice.duplicates,
            unsettled=choice.unsettled,
            torn=choice.torn + (len(earlier.damage) if earlier else 0),
            spoilt=writing.spoilt,
        )
        _compare(result, choice, earlier, ledger, collected.expected(data_dir, kind, ledger))
        return result


def _compare(result: Merged, choice: Choice, earlier: Earlier | None, ledger: bytes, expected: bytes) -> None:
    """Compare the lines with the ledger."""
    has_line = choice.chosen.source != NOWHERE
    is_kept = _are_kept(ledger, len(has_line))
    result.written = _count(has_line)
    result.not_kept = _count(has_line & (choice.standings != KEPT))
    without = is_kept & ~has_line
    if earlier:
        result.spoilt += (tmdb_id for tmdb_id in earlier.spoilt if without[tmdb_id])
    without[result.spoilt] = False
    result.without_line = _count(without & _are_kept(expected, len(has_line)))
    result.elsewhere = _count(without) - result.without_line


def _are_kept(ledger: bytes, count: int) -> Column:
    """By ID, for so many of them, whether a ledger calls it kept."""
    states: Column = np.frombuffer(ledger.ljust(count, b"\0"), np.uint8)
    is_kept: Column = states == State.KEPT.value[0]
    return is_kept


def _count(which: Column) -> int:
    return int(np.count_nonzero(which))
