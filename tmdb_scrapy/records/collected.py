"""Of which kept IDs a line must be here.

Where workers write to this machine's own parts: of all. Where parts of other machines are collected: of those
that were kept before the last complete collection began. What was kept since may still lie where it was
written: that it has no line here proves nothing.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from tmdb_scrapy import privacy
from tmdb_scrapy.kinds import Kind
from tmdb_scrapy.queue import State

KEPT = State.KEPT.value[0]


def remember(data_dir: Path, kind: Kind, ledger: bytes) -> None:
    """All that `ledger` calls kept has been brought here. Raises `OSError`."""
    file = _file(data_dir, kind)
    privacy.open_directory(file.parent)
    privacy.write(file, ledger)


def is_known(data_dir: Path, kind: Kind) -> bool:
    """Whether parts of other machines were ever collected here."""
    return _file(data_dir, kind).exists()


def forget(data_dir: Path, kind: Kind, ids: Iterable[int]) -> None:
    """`ids` are fetched again, by whichever machine: their new lines are not here. Raises `OSError`."""
    if is_known(data_dir, kind):
        ledger = bytearray(_file(data_dir, kind).read_bytes())
        for tmdb_id in ids:
            if tmdb_id < len(ledger):
                ledger[tmdb_id] = 0
        remember(data_dir, kind, bytes(ledger))


def expected(data_dir: Path, kind: Kind, ledger: bytes) -> bytes:
    """`ledger` without the kept IDs whose lines may lie elsewhere. Raises `OSError`."""
    if not is_known(data_dir, kind):
        return ledger
    before = _file(data_dir, kind).read_bytes()
    sure, position = bytearray(ledger), ledger.find(KEPT)
    while position >= 0:
        if before[position : position + 1] != State.KEPT.value:
            sure[position] = 0
        position = ledger.find(KEPT, position + 1)
    return bytes(sure)


def _file(data_dir: Path, kind: Kind) -> Path:
    return data_dir / kind.name / "collected.ledger"
