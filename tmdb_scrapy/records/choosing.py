"""Which lines come into the merged file: the newest of each ID that has a right to one, by indexes alone."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from tmdb_scrapy.records import ledger as ledgers
from tmdb_scrapy.records.chosen import EARLIER, FIRST_PART, NOWHERE, Chosen
from tmdb_scrapy.records.columns import Column
from tmdb_scrapy.records.earlier import Earlier
from tmdb_scrapy.records.part_lines import PartLines

KEPT, GONE, OPEN = (standing[0] for standing in (ledgers.KEPT, ledgers.GONE, ledgers.OPEN))


@dataclass(slots=True)
class Choice:
    """What was chosen, and the lines of parts that were not."""

    chosen: Chosen
    standings: Column
    """By ID: `KEPT`, `GONE` or `OPEN`."""
    duplicates: int = 0
    unsettled: int = 0
    torn: int = 0


def choose(earlier: Earlier | None, parts: Sequence[PartLines], ledger: bytes, *, drop: bool) -> Choice:
    """`ledger` says which IDs have a line, with `drop` the kept ones only; the time of the answer says which.

    Raises `OSError`."""
    ids = max(len(ledger), earlier.highest_id + 1 if earlier else 0)
    choice = Choice(Chosen(ids), _standings(ledger, ids, drop))
    chosen, standings = choice.chosen, choice.standings
    if earlier:
        _take_earlier(chosen, earlier)
    chosen.source[standings == GONE] = NOWHERE
    entitled = (standings == KEPT) | ((standings == OPEN) & chosen.was_there)
    for source, part in enumerate(parts, FIRST_PART):
        for lines in part.blocks():
            offered = lines[entitled[chosen.cells(lines)]]
            choice.unsettled += len(lines) - len(offered)
            choice.duplicates += chosen.offer(offered, source)
        choice.torn += part.torn
    if earlier:
        for lines in earlier.blocks():
            chosen.leave_the_same(lines[~np.isin(lines["id"], earlier.spoilt)])
    return choice


def _take_earlier(chosen: Chosen, earlier: Earlier) -> None:
    for lines in earlier.blocks():
        chosen.take(lines, EARLIER)
        chosen.was_there[lines["id"]] = True
    chosen.source[earlier.spoilt] = NOWHERE
    chosen.answered_ns[earlier.spoilt] = 0  # any other line of these is newer


def _standings(ledger: bytes, ids: int, drop: bool) -> Column:
    """With a cell more than there are IDs, as `Chosen` has."""
    standings = np.full(ids + 1, OPEN, np.uint8)
    standings[: len(ledger)] = np.frombuffer(ledgers.standings(ledger), np.uint8)
    if drop:
        standings[standings == OPEN] = GONE
    return standings
