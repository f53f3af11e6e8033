"""Whether export, ledger, queue and merged file agree."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from tmdb_scrapy.kinds import Kind
from tmdb_scrapy.queue import Picture, State
from tmdb_scrapy.queue.recorded_settings import differences, differing, way_out
from tmdb_scrapy.queue.states import OPEN
from tmdb_scrapy.records.checked import ids_of_lines
from tmdb_scrapy.records.ledger import GONE, KEPT, standings

ALWAYS_SHOWN = (State.QUEUED, State.KEPT, State.DROPPED, State.MISSING, State.FAILED)


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
    picture: Picture
    """Ledger, counts, queue and recorded settings, of one moment."""
    settings: Mapping[str, str]
    """Those of now that decide about records."""
    merged: Path
    expected: bytes = b""
    """The ledger without the kept IDs whose lines may be on other machines; empty where none can be."""


def audit(evidence: Evidence) -> list[Finding]:
    """All comparisons, in the order in which their remedies are to be taken. Raises `OSError`."""
    kind, (ledger, counts, length, _) = evidence.kind.name, evidence.picture
    known = ledger.content
    seen = sum(tmdb_id < len(known) and known[tmdb_id] != 0 for tmdb_id in evidence.exported)
    findings = [
        Finding("exported IDs that are in the ledger", len(evidence.exported), seen, f"scrapy seed {kind}"),
    ]
    meddled = f"scrapy repair {kind}"
    states = len(known) - known.count(0) - sum(ledger.count(state) for state in State)
    findings.append(Finding("IDs in a state that there is not", 0, states, meddled))
    for state in State:
        tally, counted = ledger.count(state), counts.get(state.label, 0)
        if state in ALWAYS_SHOWN or tally or counted:
            findings.append(Finding(f"{state.label} in the counts", tally, counted, meddled))
    queued = sum(ledger.count(state) for state in OPEN)
    findings.append(Finding("queued IDs that are in the stream", queued, length, meddled))
    findings.append(_compare_settings(evidence))
    findings.append(Finding("IDs not settled yet", 0, queued, f"make crawl (or make launch) KIND={kind}"))
    return findings + _compare_lines(evidence)


def _compare_settings(evidence: Evidence) -> Finding:
    """Those of now against those under which outcomes were reached."""
    compared = evidence.picture.settings, evidence.settings, evidence.kind
    remedy = f"{way_out(*compared)}, or set back what differs: {differences(*compared)}"
    return Finding("settings other than those of the outcomes", 0, len(differing(*compared)), remedy)


def _compare_lines(evidence: Evidence) -> list[Finding]:
    """The merged file against the ledger: each kept ID once, nothing else."""
    kind, ledger = evidence.kind.name, evidence.picture.ledger.content
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
            written += standing[tmdb_id : tmdb_id + 1] == KEPT
    again = f"scrapy merge {kind}"
    lost = f"{again}; if that is not enough, make collect, and scrapy retry {kind} --lost for what is gone"
    for tmdb_id, state in enumerate(evidence.expected):
        elsewhere += state == 0 and unseen[tmdb_id] != 0 and standing[tmdb_id : tmdb_id + 1] == KEPT
    kept = standing.count(KEPT) - elsewhere
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
