"""``scrapy audit KIND…``: do export, ledger, queue and merged file agree?"""

from __future__ import annotations

import argparse
from array import array
from collections.abc import Sequence
from itertools import compress
from pathlib import Path
from typing import TYPE_CHECKING

from scrapy.commands import ScrapyCommand

from tmdb_scrapy.commands.base import CommandFailed, KindsCommand, complain, named
from tmdb_scrapy.kinds import Kind
from tmdb_scrapy.queue import IdQueue, Ledger, State
from tmdb_scrapy.queue.recorded_settings import present
from tmdb_scrapy.records import collected
from tmdb_scrapy.records.part import merged_file
from tmdb_scrapy.sources.discover import read_discovered
from tmdb_scrapy.sources.export import ExportError
from tmdb_scrapy.sources.seeded import DISCOVER, SeededRecord

if TYPE_CHECKING:
    from tmdb_scrapy.records.audit import Evidence, Finding


class Command(KindsCommand, ScrapyCommand):
    """Prints a table and exits 0 only when everything agrees; else says what to run."""

    def short_desc(self) -> str:
        return "Compare export, ledger, queue and merged file"

    def execute_for(self, kind: Kind, opts: argparse.Namespace) -> None:
        from tmdb_scrapy.records.audit import audit

        evidence = self._evidence(kind)
        try:
            findings = audit(evidence)
        except OSError as error:
            raise CommandFailed(f"{evidence.merged} cannot be read: {error}") from None
        _show(kind.name, findings)
        failed = evidence.picture.ledger.count(State.FAILED)
        if failed:
            print(f"{kind.count(failed)} failed; `scrapy retry {kind.name}` queues them again")
        stale = evidence.picture.ledger.ids(State.STALE)
        if stale:
            print(
                f"{named(kind, stale)} stale: fetched again in vain, so the earlier line stays; the next "
                f"`scrapy refresh {kind.name}`, or `scrapy retry {kind.name}`, asks again"
            )
        wrong = [finding for finding in findings if not finding.agrees]
        if wrong:
            raise CommandFailed(f"they do not agree: {wrong[0].what}. Run: {wrong[0].remedy}")
        if evidence.picture.ledger.is_empty:
            raise CommandFailed(f"no {kind.name} were seeded. Run: scrapy seed {kind.name}")
        if not evidence.exported:
            raise CommandFailed(
                "ledger, queue and merged file agree, but no export was compared: none is recorded here. "
                f"Run: scrapy seed {kind.name} (known IDs are not queued again), or audit where it was seeded"
            )
        print("export, ledger, queue and merged file agree")
        self._say_of_discover(kind, evidence.picture.ledger)

    def _say_of_discover(self, kind: Kind, ledger: Ledger) -> None:
        seeded = SeededRecord(self.config.data_dir / "exports", kind)
        sources = {selection.source for selection in seeded.all()}
        if sources == {DISCOVER}:
            print(
                f"these {kind.name} were found by discover, which is no proof of completeness: only a crawl "
                "by the export is"
            )
        elif DISCOVER in sources:
            kept, found = ledger.ids(State.KEPT), set(read_discovered(seeded.discovered))
            print(
                f"of the {kind.count(len(kept))} kept, discover had found {len(found.intersection(kept)):,}"
            )

    def _evidence(self, kind: Kind) -> Evidence:
        from tmdb_scrapy.records.audit import Evidence

        picture = self.ask(kind, IdQueue.picture)
        return Evidence(
            kind=kind,
            exported=self._exported(kind),
            picture=picture,
            settings=present(self.config, kind),
            merged=merged_file(self.config.data_dir, kind),
            expected=collected.expected(self.config.data_dir, kind, picture.ledger.content),
        )

    def _exported(self, kind: Kind) -> Sequence[int]:
        from tmdb_scrapy.sources.selected import select

        seeded = SeededRecord(self.config.data_dir / "exports", kind)
        selections = seeded.all()
        if unfinished := seeded.unfinished():
            selections.append(unfinished)
        marks = bytearray()
        for selection in selections:
            if not Path(selection.file).exists():
                complain(f"{selection.file} is gone: its IDs are not compared", 0)
                continue
            try:
                ids = select(selection, kind).ids
            except ExportError as error:
                raise CommandFailed(str(error)) from None
            marks.extend(bytes(max(max(ids, default=0) + 1 - len(marks), 0)))
            for tmdb_id in ids:
                marks[tmdb_id] = 1
        return array("I", compress(range(len(marks)), marks))


def _show(kind: str, findings: list[Finding]) -> None:
    # Scrapy imports every command to run one: what draws is imported where it does.
    from rich.console import Console
    from rich.table import Table

    table = Table(title=f"audit of {kind}")
    table.add_column("what")
    table.add_column("expected", justify="right")
    table.add_column("found", justify="right")
    table.add_column("")
    for finding in findings:
        verdict = "[green]agrees" if finding.agrees else "[red]differs"
        table.add_row(finding.what, f"{finding.expected:,}", f"{finding.found:,}", verdict)
    Console().print(table)
