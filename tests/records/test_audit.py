"""The audit finds each way in which export, ledger, queue and merged file can disagree."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tmdb_scrapy.kinds import KINDS
from tmdb_scrapy.queue import Ledger, Picture
from tmdb_scrapy.records.audit import Evidence, Finding, audit

LEDGER = b"\0kkbmf"
COUNTS = {"queued": 0, "kept": 2, "dropped": 1, "missing": 1, "failed": 1}


def line(tmdb_id: int) -> bytes:
    return json.dumps({"id": tmdb_id}).encode() + b"\n"


def wrong(tmp_path: Path, merged: bytes | None = line(1) + line(2), **changes: Any) -> list[Finding]:
    """What does not agree, when everything agreed but for `changes`."""
    file = tmp_path / "movies.jsonl"
    if merged is not None:
        file.write_bytes(merged)
    evidence: dict[str, Any] = {
        "kind": KINDS["movies"],
        "exported": [5, 4, 3, 2, 1],
        "merged": file,
    }
    ledger = Ledger(KINDS["movies"], changes.pop("ledger", LEDGER))
    evidence["picture"] = Picture(
        ledger, changes.pop("counts", COUNTS), changes.pop("queue_length", 0), changes.pop("recorded", {})
    )
    evidence["settings"] = {"LANGUAGE": "en-US", "FILTER": "on", "MIN_BUDGET": "1", "MIN_REVENUE": "1"}
    return [finding for finding in audit(Evidence(**{**evidence, **changes})) if not finding.agrees]


def test_all_agrees(tmp_path: Path) -> None:
    assert wrong(tmp_path) == []


@pytest.mark.parametrize(
    ("recorded", "way_out"),
    [
        ({"LANGUAGE": "de"}, "scrapy refresh movies --all"),
        ({"FILTER": "on", "MIN_BUDGET": "2", "MIN_REVENUE": "1"}, "scrapy retry movies --dropped"),
    ],
)
def test_settings_that_differ_from_those_of_the_outcomes(
    tmp_path: Path, recorded: dict[str, str], way_out: str
) -> None:
    (finding,) = wrong(tmp_path, recorded=recorded)
    assert finding.what == "settings other than those of the outcomes"
    assert finding.remedy.startswith(f"{way_out}, or set back what differs: ")


def test_nothing_at_all_agrees_with_itself(tmp_path: Path) -> None:
    assert wrong(tmp_path, None, exported=[], ledger=b"", counts={}) == []


@pytest.mark.parametrize("exported", [[1, 2, 3, 4, 5, 6], [0, 1], [1 << 27]])
def test_an_exported_id_that_was_never_seeded(tmp_path: Path, exported: list[int]) -> None:
    (finding,) = wrong(tmp_path, exported=exported)
    assert finding.what == "exported IDs that are in the ledger"
    assert (finding.expected, finding.found) == (len(exported), len([i for i in exported if 0 < i < 6]))
    assert finding.remedy == "scrapy seed movies"


def test_ids_in_the_ledger_of_which_no_export_is_here_are_fine(tmp_path: Path) -> None:
    assert wrong(tmp_path, exported=[1]) == []


@pytest.mark.parametrize("label", COUNTS)
def test_a_count_that_disagrees_with_the_ledger(tmp_path: Path, label: str) -> None:
    (finding,) = wrong(tmp_path, counts={**COUNTS, label: COUNTS[label] + 1})
    assert finding.what == f"{label} in the counts"
    assert finding.found == finding.expected + 1


def test_queued_ids_are_told(tmp_path: Path) -> None:
    (finding,) = wrong(tmp_path, ledger=LEDGER + b"q", counts={**COUNTS, "queued": 1}, queue_length=1)
    assert finding.what == "IDs not settled yet"
    assert "make crawl" in finding.remedy


@pytest.mark.parametrize("length", [0, 2])
def test_a_stream_that_has_not_the_queued_ids(tmp_path: Path, length: int) -> None:
    findings = wrong(tmp_path, ledger=LEDGER + b"q", counts={**COUNTS, "queued": 1}, queue_length=length)
    assert findings[0].what == "queued IDs that are in the stream"


@pytest.mark.parametrize(
    ("merged", "what", "expected", "found"),
    [
        (line(1), "kept IDs that have a line", 2, 1),
        (b"", "kept IDs that have a line", 2, 0),
        (None, "kept IDs that have a line", 2, 0),
        (line(1) + line(2) + line(3), "lines of IDs that are dropped or missing", 0, 1),
        (line(1) + line(2) + line(99), "lines of IDs that the ledger does not know", 0, 1),
        (line(1) + line(2) + line(-1), "lines that are not as they were merged", 0, 1),
        (line(1) + line(2) + line(-4), "lines that are not as they were merged", 0, 1),
        (line(1) + line(2) + line(1) + line(1), "second lines of an ID", 0, 2),
        (line(1) + b"garbage\n" + line(2), "lines that are not as they were merged", 0, 1),
        (line(1) + line(2) + b'{"id": 3', "lines that are not as they were merged", 0, 1),
    ],
)
def test_a_merged_file_that_is_not_the_kept_ids(
    tmp_path: Path, merged: bytes | None, what: str, expected: int, found: int
) -> None:
    (finding,) = wrong(tmp_path, merged)
    assert (finding.what, finding.expected, finding.found) == (what, expected, found)
    assert "scrapy merge movies" in finding.remedy


@pytest.mark.parametrize(("byte", "label"), [(b"K", "refreshing"), (b"F", "stale")])
def test_a_line_at_hand_of_an_id_that_is_asked_for_again_is_right(
    tmp_path: Path, byte: bytes, label: str
) -> None:
    counts = {**COUNTS, "kept": 1, label: 1}
    findings = wrong(tmp_path, ledger=b"\0k" + byte + b"bmf", counts=counts, queue_length=int(byte == b"K"))
    assert [finding.what for finding in findings] == (["IDs not settled yet"] if byte == b"K" else [])
