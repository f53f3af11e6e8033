"""What became of an upload."""

from __future__ import annotations

import dataclasses
import enum


class Verification(enum.Enum):
    """How sure it is that the share holds the file."""

    SIZE = "size verified"
    CHECKSUM = "checksum verified"
    ALREADY_THERE = "was already there, same size"
    ALREADY_THERE_SAME_CHECKSUM = "was already there, same checksum"
    IMPOSSIBLE = (
        "sent but not verified: the share is upload-only (a file of that name, if any, is still there too)"
    )


@dataclasses.dataclass(frozen=True, slots=True)
class Receipt:
    """One file of the share."""

    name: str
    size: int
    verification: Verification
