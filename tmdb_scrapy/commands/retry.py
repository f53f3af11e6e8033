"""``scrapy retry KIND…``: IDs that have ended go back into the queue."""

from __future__ import annotations

import argparse
from pathlib import Path

from scrapy.commands import ScrapyCommand

from tmdb_scrapy.commands.base import BAD_USE, CommandFailed, KindsCommand
from tmdb_scrapy.kinds import Kind
from tmdb_scrapy.queue import IdQueue, Ledger, State
from tmdb_scrapy.queue.recorded_settings import differing, filter_keys, is_stricter, present
from tmdb_scrapy.queue.states import Letters
from tmdb_scrapy.records import collected
from tmdb_scrapy.records.index import index_of
from tmdb_scrapy.records.part import merged_file, parts_directory

ANY = "any"
FINAL = (State.KEPT, State.DROPPED, State.MISSING, State.FAILED, State.STALE)


class Command(KindsCommand, ScrapyCommand):
    """Every outcome can be reopened: failed ones unless something else is said."""

    def short_desc(self) -> str:
        return "Queue failed IDs again, or missing, dropped, lost or given ones"

    def add_options(self, parser: argparse.ArgumentParser) -> None:
        super().add_options(parser)
        chosen = parser.add_mutually_exclusive_group()
        chosen.add_argument("--failed", action="store_true", help="failed and stale ones (the default)")
        chosen.add_argument("--missing", action="store_true", help="those that TMDb said it has not")
        chosen.add_argument(
            "--dropped",
            nargs="?",
            const=ANY,
            metavar="REASON",
            help="those that were dropped, or only those dropped for a reason such as budget",
        )
        chosen.add_argument(
            "--lost",
            action="store_true",
            help="kept ones that have no line in the merged file (run merge and collect first)",
        )
        chosen.add_argument(
            "--ids", type=Path, metavar="FILE", help="these, one ID a line, # begins a comment"
        )
        parser.add_argument("--dry-run", action="store_true", help="only say how many it would be")

    def execute_for(self, kind: Kind, opts: argparse.Namespace) -> None:
        ledger = Ledger(kind, self.ask(kind, IdQueue.ledger))
        chosen = self._chosen(ledger, opts)
        total = sum(map(len, chosen.values()))
        if opts.dry_run:
            print(f"would queue {kind.count(total)} again")
            return
        if kept := chosen.get(State.KEPT):
            collected.forget(self.config.data_dir, kind, kept)
        queued = sum(self._requeue(kind, ids, state) for state, ids in chosen.items())
        if opts.dropped == ANY:
            self._take_up_filter(kind)
        print(f"queued {kind.count(queued)} again")

    def _take_up_filter(self, kind: Kind) -> None:
        """What was dropped is judged by the filter of now from here on; a stricter one would have to judge
        what was kept, too. Raises `CommandFailed` while workers go by the earlier one."""
        recorded, now = self.ask(kind, IdQueue.settings), present(self.config, kind)
        if not set(differing(recorded, now, kind)) & set(filter_keys(kind)) or is_stricter(
            recorded, now, kind
        ):
            return
        others = {key: value for key, value in recorded.items() if key not in filter_keys(kind)}
        taken = {key: value for key, value in now.items() if key in filter_keys(kind)}
        self.ask(kind, lambda queue: queue.adopt(others | taken))

    def _requeue(self, kind: Kind, ids: list[int], state: State) -> int:
        return self.ask(kind, lambda queue: queue.requeue(ids, state)) if ids else 0

    def _chosen(self, ledger: Ledger, opts: argparse.Namespace) -> dict[State, list[int]]:
        """The IDs to ask for again, by the state that they leave."""
        if opts.ids:
            return self._given(ledger, opts.ids)
        if opts.missing:
            return {State.MISSING: ledger.ids(State.MISSING)}
        if opts.dropped:
            return {State.DROPPED: self._dropped(ledger, opts.dropped)}
        if opts.lost:
            return {State.KEPT: self._lost(ledger)}
        return {state: ledger.ids(state) for state in (State.FAILED, State.STALE)}

    def _lost(self, ledger: Ledger) -> list[int]:
        """Kept IDs that have no line here, although the parts that had them were collected."""
        present = self._merged(ledger.kind)
        expected = collected.expected(self.config.data_dir, ledger.kind, ledger.content)
        return [each for each in Ledger(ledger.kind, expected).ids(State.KEPT) if each not in present]

    def _dropped(self, ledger: Ledger, reason: str) -> list[int]:
        reasons = Letters(ledger.kind).reasons
        if reason == ANY:
            return ledger.ids(State.DROPPED)
        if reason not in reasons:
            raise CommandFailed(
                f"--dropped {reason}: {ledger.kind.name} are dropped for {', '.join(reasons)} only",
                BAD_USE,
            )
        return ledger.ids(State.DROPPED, reason)

    def _given(self, ledger: Ledger, file: Path) -> dict[State, list[int]]:
        chosen: dict[State, list[int]] = {state: [] for state in FINAL}
        for tmdb_id in dict.fromkeys(_ids_in(file)):
            state = ledger.state(tmdb_id)
            if state in chosen:
                chosen[state].append(tmdb_id)
        return chosen

    def _merged(self, kind: Kind) -> set[int | None]:
        """The IDs in the merged file. Raises `CommandFailed` when there are lines that it cannot have."""
        from tmdb_scrapy.records.checked import ids_of_lines

        file = merged_file(self.config.data_dir, kind)
        parts = parts_directory(self.config.data_dir, kind).glob("*.jsonl")
        # A merge that found nothing new writes the index only.
        merged_at = max((each.stat().st_mtime for each in (file, index_of(file)) if each.exists()), default=0)
        if not file.exists() or any(part.stat().st_ctime > merged_at for part in parts):
            raise CommandFailed(
                f"{file} does not have all that the parts have, so what is lost cannot be told. "
                f"Run first: scrapy merge {kind.name}"
            )
        return set(ids_of_lines(file))


def _ids_in(file: Path) -> list[int]:
    """The IDs of a file, one a line. Raises `CommandFailed` that names every line that is no ID."""
    ids, wrong = [], []
    try:
        text = file.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise CommandFailed(f"{file} cannot be read: {error}", BAD_USE) from None
    for number, line in enumerate(text.splitlines(), 1):
        word = line.partition("#")[0].strip()
        if word.isascii() and word.isdigit() and int(word) > 0:
            ids.append(int(word))
        elif word:
            wrong.append(f"line {number}: {word[:40]!r}")
    if wrong:
        raise CommandFailed(
            f"{file}: no IDs: {', '.join(wrong[:10])}"
            + (f" and {len(wrong) - 10} more" if len(wrong) > 10 else "")
            + "; nothing was queued",
            BAD_USE,
        )
    return ids
