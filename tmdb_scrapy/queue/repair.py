"""Counts and stream rebuilt from the ledger, where keys were meddled with."""

from __future__ import annotations

from typing import NamedTuple

from tmdb_scrapy.queue.id_queue import IdQueue
from tmdb_scrapy.queue.keys import GROUP
from tmdb_scrapy.queue.states import DROPPED_FOR, Letters, State


class Repaired(NamedTuple):
    """What a repair found, in numbers."""

    counts: int
    """Fields of the counts that were wrong."""
    removed: int
    """Entries of the stream whose ID is not queued, or had one already."""
    added: int
    """Queued IDs that had no entry."""
    unknown: int
    """Bytes of the ledger that are no state; their IDs are queued now."""


async def repair(queue: IdQueue) -> Repaired:
    """Rebuild counts and stream from the ledger, in one step. Leases are given up; what workers that live
    nevertheless settle counts, but an ID may be fetched twice. Raises what redis-py raises."""
    keys = queue.keys
    states = [(state.value, state.label, "") for state in State if state is not State.DROPPED]
    states += [
        (byte, State.DROPPED.label, f"{DROPPED_FOR}{reason}")
        for reason, byte in Letters(queue.kind).reasons.items()
    ]
    arguments = [GROUP, *(word for state in states for word in state)]
    return Repaired(*await queue.script("repair")([keys.queue, keys.ledger, keys.counts], arguments))
