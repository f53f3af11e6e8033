"""What the ledger says of a line: whether its ID has a right to one in the merged file."""

from __future__ import annotations

from tmdb_scrapy.queue import State
from tmdb_scrapy.queue.states import WITH_LINE

KEPT, GONE, OPEN = b"k", b"-", b"\0"
"""Has a line · must not have one · keeps the one that it has: no settled outcome speaks against it."""

_KEPT = b"".join(WITH_LINE)
_OPEN = b"\0" + State.QUEUED.value + State.FAILED.value


def _standing(state: int) -> int:
    if state in _KEPT:
        return KEPT[0]
    if state in _OPEN or not chr(state).islower():
        return OPEN[0]
    return GONE[0]  # missing, and each letter that is the reason of a drop


_STANDINGS = bytes(_standing(state) for state in range(256))


def standings(ledger: bytes) -> bytes:
    """For each ID `KEPT`, `GONE` or `OPEN`."""
    return ledger.translate(_STANDINGS)
