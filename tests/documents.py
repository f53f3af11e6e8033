"""What the project's pages say, for tests that compare it with the code."""

from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).parent.parent


def text_of(page: str) -> str:
    """The page of that path from the root of the project."""
    return (ROOT / page).read_text(encoding="utf-8")


def rows(text: str, heading: str) -> dict[str, list[str]]:
    """The tables under a heading (`## …`): name in the first cell → the other cells, `code` without its
    marks. Several names in one cell (`A`, `B`) are a row each."""
    found: dict[str, list[str]] = {}
    section = re.split(r"^## ", text.split(f"\n## {heading}\n", 1)[1], maxsplit=1, flags=re.M)[0]
    for line in section.splitlines():
        if not line.startswith("| `"):
            continue
        first, *others = [cell.strip() for cell in line.strip().strip("|").split(" |")]
        for name in re.findall(r"`([^`]+)`", first):
            assert name not in found, f"{name} has two rows"
            found[name] = [cell.removeprefix("`").removesuffix("`") for cell in others]
    return found
