"""The states of an ID: one byte in the ledger."""

from __future__ import annotations

import enum
from collections.abc import Iterator
from dataclasses import dataclass, field

from tmdb_scrapy.kinds import Kind

DROPPED_FOR = "dropped/"
"""Before a reason, in the `counts` hash."""
OTHER = "other"
"""The reason of a drop that is none of the filter's: by somebody's own pipeline, or before schema 2."""


class State(bytes, enum.Enum):
    """How an ID stands. Its value is its byte in the ledger; its name in `counts` is `label`.

    Every known ID has exactly one of these. Never seen is the byte NUL and has no count. A drop by a filter
    has a byte for each reason instead of `d` (see `Letters`).
    """

    QUEUED = b"q"
    REFRESHING = b"K"
    """Queued again, its line at hand."""
    KEPT = b"k"
    DROPPED = b"d"
    MISSING = b"m"
    FAILED = b"f"
    STALE = b"F"
    """Failed when it was fetched again, its earlier line at hand."""

    @property
    def label(self) -> str:
        """The field of the `counts` hash that counts this state."""
        return self.name.lower()


OPEN = (State.QUEUED, State.REFRESHING)
"""IDs that are in the queue, leased or not."""
ENDED = (State.KEPT, State.DROPPED, State.MISSING, State.FAILED, State.STALE)
"""How an ID that is not in the queue ended, in the order in which people are told."""
WITH_LINE = (State.KEPT, State.REFRESHING, State.STALE)
"""IDs that have a line in the merged file, or in a part that is yet to be merged."""


class Letters:
    """The ledger's bytes of one kind: those of `State`, and one for each reason of the kind's filter."""

    def __init__(self, kind: Kind) -> None:
        self.reasons: dict[str, bytes] = {**(kind.filter.reasons if kind.filter else {}), OTHER: b"d"}
        """Every reason of a drop, with its byte."""
        self._states = {state.value: state for state in State}
        self._states |= dict.fromkeys(self.reasons.values(), State.DROPPED)

    def reason(self, told: str) -> str:
        """The reason by which a drop is counted."""
        return told if told in self.reasons else OTHER

    def of(self, state: State) -> tuple[bytes, ...]:
        """The bytes that say `state`."""
        return tuple(self.reasons.values()) if state is State.DROPPED else (state.value,)

    def state(self, byte: bytes) -> State | None:
        """What a byte says; None for an ID that was never seen."""
        return self._states.get(byte)


@dataclass(frozen=True, slots=True)
class Ledger:
    """The ledger of one kind as it was read: byte N is the state of TMDb ID N."""

    kind: Kind
    content: bytes = field(repr=False)

    @property
    def is_empty(self) -> bool:
        """Whether no ID was ever seen."""
        return not self.content.strip(b"\0")

    def count(self, state: State) -> int:
        """How many IDs are in a state."""
        return sum(self.content.count(byte) for byte in Letters(self.kind).of(state))

    def ids(self, state: State, reason: str = "") -> list[int]:
        """The IDs in a state, ascending; of dropped ones perhaps only those of one reason."""
        letters = Letters(self.kind)
        wanted = (letters.reasons[reason],) if reason else letters.of(state)
        return sorted(tmdb_id for byte in wanted for tmdb_id in self._positions(byte))

    def state(self, tmdb_id: int) -> State | None:
        """How an ID stands; None when it was never seen."""
        return Letters(self.kind).state(self.content[tmdb_id : tmdb_id + 1])

    def _positions(self, byte: bytes) -> Iterator[int]:
        position = self.content.find(byte)
        while position >= 0:
            yield position
            position = self.content.find(byte, position + 1)
