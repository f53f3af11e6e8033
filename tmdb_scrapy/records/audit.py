"""Whether export, ledger, queue and merged file agree."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from tmdb_scrapy.kinds import Kind
from tmdb_scrapy.queue import State
from tmdb_scrapy.records.earlier import ids_of_lines
from tmdb_scrapy.records.ledger import GONE, standings


@dataclass(frozen=True, slots=True)
class Finding:
    """One comparison: what was compared, both numbers, and what to run when they differ."""

    what: str
    expected: int
    found: int
    remedy: str

    @property
    def agrees(self) -> bool:
        return self.expected == self.found


@dataclass(frozen=True, slots=True)
class Evidence:
    """What an audit looks at."""

    kind: Kind
    exported: Sequence[int]
    """IDs that were seeded, by the exports on this machine."""
    ledger: bytes
    counts: dict[str, int]
    """By label of the state, as Redis counts them."""
    queue_length: int
    merged: Path
    expected: bytes = b""
    """The ledger without the kept IDs whose lines may be on other machines; empty where none can be."""


def audit(evidence: Evidence) -> list[Finding]:
    """All comparisons, in the order in which their remedies are to be taken. Raises `OSError`."""
    kind, ledger = evidence.kind.name, evidence.ledger
    seen = [tmdb_id for tmdb_id in evidence.exported if tmdb_id < len(ledger) and ledger[tmdb_id]]
    findings = [
        Finding(
            "exported IDs that are in the ledger", len(evidence.exported), len(seen), f"scrapy seed {kind}"
        ),
    ]
    meddled = "the keys in Redis were changed by something else: restore its data, or start anew"
    for state in State:
        tally = ledger.count(state.value)
        findings.append(
            Finding(f"{state.label} in the counts", tally, evidence.counts.get(state.label, 0), meddled)
        )
    queued = ledger.count(State.QUEUED.value)
    findings.append(Finding("queued IDs that are in the stream", queued, evidence.queue_length, meddled))
    findings.append(Finding("IDs not settled yet", 0, queued, f"make crawl (or make launch) KIND={kind}"))
    return findings + _compare_lines(evidence)


def _compare_lines(evidence: Evidence) -> list[Finding]:
    """The merged file against the ledger: each kept ID once, nothing else."""
    kind, ledger = evidence.kind.name, evidence.ledger
    elsewhere, written, gone, unknown, torn, repeated = 0, 0, 0, 0, 0, 0
    unseen, standing = bytearray(ledger), standings(ledger)
    lines = ids_of_lines(evidence.merged) if evidence.merged.exists() else iter(())
    for tmdb_id in lines:
        if tmdb_id is None:
            torn += 1
        elif not ledger[tmdb_id : tmdb_id + 1].strip(b"\0"):
            unknown += 1
        elif standing[tmdb_id : tmdb_id + 1] == GONE:
            gone += 1
        elif unseen[tmdb_id] == 0:
            repeated += 1
        else:
            unseen[tmdb_id] = 0
            written += ledger[tmdb_id : tmdb_id + 1] == State.KEPT.value
    again = f"scrapy merge {kind}"
    lost = f"{again}; if that is not enough, make collect, and scrapy retry {kind} --lost for what is gone"
    for tmdb_id, state in enumerate(evidence.expected):
        elsewhere += state == 0 and unseen[tmdb_id : tmdb_id + 1] == State.KEPT.value
    kept = ledger.count(State.KEPT.value) - elsewhere
    return [
        Finding("kept IDs on other machines since the last collection", 0, elsewhere, "make collect"),
        Finding("kept IDs that have a line", kept, written, lost),
        Finding("lines of IDs that are dropped or missing", 0, gone, again),
        Finding(
            "lines of IDs that the ledger does not know",
            0,
            unknown,
            f"scrapy seed {kind}; if they are to go, scrapy merge {kind} --drop",
        ),
        Finding("second lines of an ID", 0, repeated, again),
        Finding("lines that are not as they were merged", 0, torn, f"{again} --check"),
    ]
