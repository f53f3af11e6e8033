"""What must be under a name on the share, or the server answers 412 and stores nothing."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping


@dataclasses.dataclass(frozen=True, slots=True)
class Precondition:
    """One condition, as the headers that the two ways of storing a file understand."""

    of_put: Mapping[str, str]
    of_move: Mapping[str, str]
    """A MOVE assembles chunks: If-Match would be about them, not about the file that they become."""


NONE = Precondition({}, {"Overwrite": "T"})
ABSENT = Precondition({"If-None-Match": "*"}, {"Overwrite": "F"})


def unchanged(url: str, etag: str) -> Precondition:
    """The file at `url` still has that ETag."""
    return Precondition({"If-Match": etag}, {"Overwrite": "T", "If": f"<{url}> ([{etag}])"})
