"""The states of an ID: one byte in the ledger."""

from __future__ import annotations

import enum


class State(bytes, enum.Enum):
    """How an ID stands. Its value is its byte in the ledger; its name in `counts` is `label`.

    Every exported ID has exactly one of these. Never seen is the byte NUL and has no count.
    """

    QUEUED = b"q"
    KEPT = b"k"
    DROPPED = b"d"
    MISSING = b"m"
    FAILED = b"f"

    @property
    def label(self) -> str:
        """The field of the `counts` hash that counts this state."""
        return self.name.lower()
