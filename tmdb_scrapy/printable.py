"""Text that anybody may have written, for a terminal or a log: it is read there and steers nothing.

A terminal obeys what begins with an escape: it sets titles, clears the screen, colours what follows.
"""

from __future__ import annotations

import re

LONGEST_LINE = 300
"""Characters."""
_STEERS = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f"  # all control characters but tab and line feed
    "\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069"  # what turns the direction of writing
    "\ud800-\udfff]"  # halves of characters, which cannot be written
)


def printable(text: str) -> str:
    """`text` with U+FFFD for whatever would steer a terminal. It may have many lines."""
    return _STEERS.sub("\ufffd", text.replace("\r\n", "\n"))


def line(text: str, longest: int = LONGEST_LINE) -> str:
    """`text` on one line, cut after so many characters."""
    shown = text if len(text) <= longest else text[: longest - 1] + "…"
    return printable(" ".join(shown.split()))
