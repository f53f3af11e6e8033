"""What has to be asked for again: the newest export and the change feed against what is known.

Sets of IDs are whole numbers here, eight bits an ID: those of millions are compared at once.
"""

from __future__ import annotations

import datetime
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from tmdb_scrapy.kinds import Kind
from tmdb_scrapy.queue.freshness import Known, day_fetched, is_seen
from tmdb_scrapy.queue.id_queue import days_since_first
from tmdb_scrapy.queue.states import State
from tmdb_scrapy.sources.export import Export, Line, lines_of
from tmdb_scrapy.sources.seeded import EXPORT, Selection, most_popular_first

WHOLE = 0.95
"""An export with a smaller share of what it had to have is not whole: from what it lacks, nothing follows."""
REASONS = ("new", "changed", "back", "gone", "over age", "failed", "the rest")

_WAITING = State.QUEUED.value + State.REFRESHING.value
_UNSEEN = b"\0"


@dataclass(slots=True)
class Compared:
    """The newest export, beside what was known."""

    export: Export
    present: bytearray = field(default_factory=bytearray, repr=False)
    """Byte N is 1 when ID N is in it."""
    new: list[int] = field(default_factory=list)
    """Selected IDs that were never seen, most popular first."""


@dataclass(slots=True)
class Plan:
    """Which IDs are asked for again, each for one reason."""

    by_reason: dict[str, list[int]]
    left_alone: int = 0
    """IDs that the feed names, and that nobody asked for."""
    known_exported: int = 0
    """How many IDs the export had to have."""
    still_exported: int = 0
    """How many of those it has."""

    @property
    def is_shrunken(self) -> bool:
        """Whether the export lacks so much that nothing was concluded from it."""
        return self.still_exported < WHOLE * self.known_exported


def compare(path: Path, kind: Kind, selections: Sequence[Selection], ledger: bytes) -> Compared:
    """Read an export: which IDs it has, and which of the selected ones are new. Raises `ExportError`."""
    compared = Compared(Export(path))
    exported = [each for each in selections if each.source == EXPORT]
    unlimited = [each for each in exported if not each.limit]
    limited = [(each, list[Line]()) for each in exported if each.limit]
    unseen: list[Line] = []
    for line in lines_of(compared.export, kind):
        if line.id >= len(compared.present):
            compared.present.extend(bytes(line.id + 1 - len(compared.present) + (1 << 16)))
        compared.present[line.id] = 1
        if not is_seen(ledger, line.id) and any(each.admits(line) for each in unlimited):
            unseen.append(line)
        for selection, chosen in limited:
            if selection.admits(line):
                chosen.append(line)
                if len(chosen) > 2 * selection.limit + 1000:
                    chosen[:] = most_popular_first(chosen, selection.limit)
    for selection, chosen in limited:
        best = most_popular_first(chosen, selection.limit)
        unseen += (line for line in best if not is_seen(ledger, line.id))
    compared.new = list(dict.fromkeys(line.id for line in most_popular_first(unseen)))
    return compared


def plan(
    known: Known,
    compared: Compared,
    changed: Collection[int],
    oldest: datetime.date,
    *,
    everything: bool = False,
) -> Plan:
    """Which IDs are to be asked for again. `oldest` is the day before which an answer is too old."""
    found = _Reasons(known.ledger)
    present, before = _set(compared.present), _set(known.exported) if known.exported is not None else None
    expected = found.of(lambda state: state not in _UNSEEN + State.MISSING.value)
    if before is not None:
        expected &= before
    result = Plan(found.by_reason, known_exported=expected.bit_count())
    result.still_exported = (expected & present).bit_count()
    found.by_reason["new"] = compared.new
    new = set(compared.new)
    named = [each for each in changed if each not in new]
    result.left_alone = sum(not is_seen(known.ledger, each) for each in named)
    found.take("changed", _of_ids(named))
    if before is not None:
        found.take("back", found.of(lambda state: state in State.MISSING.value) & present & ~before)
    if not result.is_shrunken:
        found.take("gone", expected & ~present)
    found.take("over age", _of_ids(_too_old(known, oldest)))
    found.take("failed", found.of(lambda state: state in State.FAILED.value + State.STALE.value))
    if everything:
        found.take("the rest", found.of(lambda state: state not in _UNSEEN))
    return result


class _Reasons:
    """Gives each ID to the first reason that wants it."""

    def __init__(self, ledger: bytes) -> None:
        self.by_reason: dict[str, list[int]] = {reason: [] for reason in REASONS}
        self._ledger = ledger
        self._left = self.of(lambda state: state not in _UNSEEN + _WAITING)

    def of(self, wanted: object) -> int:
        """The IDs in states that are wanted."""
        assert callable(wanted)
        return _set(self._ledger.translate(bytes(bool(wanted(state)) for state in range(256))))

    def take(self, reason: str, ids: int) -> None:
        taken = ids & self._left
        self._left &= ~taken
        self.by_reason[reason] = _ids(taken)


def _too_old(known: Known, oldest: datetime.date) -> list[int]:
    """Those of which something is stored: what is missing leaves nothing behind that could be too old."""
    limit = days_since_first(oldest)
    unknown = days_since_first(known.seeded_on) if known.seeded_on else 0
    if unknown >= limit and not known.fetched:
        return []
    without = _UNSEEN + _WAITING + State.MISSING.value + State.FAILED.value
    return [
        tmdb_id
        for tmdb_id, state in enumerate(known.ledger)
        if state not in without and (day_fetched(known.fetched, tmdb_id) or unknown) < limit
    ]


def _set(content: bytes | bytearray) -> int:
    return int.from_bytes(content, "little")


def _of_ids(ids: Collection[int]) -> int:
    content = bytearray(max(ids, default=-1) + 1)
    for tmdb_id in ids:
        content[tmdb_id] = 1
    return _set(content)


def _ids(of: int) -> list[int]:
    content = of.to_bytes((of.bit_length() + 7) // 8, "little")
    found, position = [], content.find(1)
    while position >= 0:
        found.append(position)
        position = content.find(1, position + 1)
    return found
