"""The merged file, its index and its changes are written beside the earlier ones, then put in their place.

The new lines go first, then what stays of the earlier file. So a line that is not as it was written is found
before the earlier line of its ID is left out.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np

from tmdb_scrapy.records.changes import Change, Changes, changes_of
from tmdb_scrapy.records.checked import Checked, checked
from tmdb_scrapy.records.chosen import EARLIER, FIRST_PART, NOWHERE, Chosen
from tmdb_scrapy.records.columns import write_unfinished_index
from tmdb_scrapy.records.earlier import Earlier
from tmdb_scrapy.records.index import Header, index_of
from tmdb_scrapy.records.merged import merged_header
from tmdb_scrapy.records.output import Output
from tmdb_scrapy.records.part_lines import PartLines
from tmdb_scrapy.records.stretches import Stretches

Report = Callable[[int, int], object]
"""Called with the bytes dealt with since the last call, and how many there are in all."""


class Writing:
    """Writes what was chosen."""

    def __init__(
        self,
        target: Path,
        earlier: Earlier | None,
        parts: Sequence[PartLines],
        chosen: Chosen,
        report: Report,
    ) -> None:
        self.spoilt: list[int] = []
        """IDs whose newest line is not as it was written."""
        self._target = target
        # A link stays one: somebody has the file where there is room for it.
        self._place = target.resolve()
        self._earlier = earlier
        self._parts = parts
        self._chosen = chosen
        self._total = sum(part.size for part in parts) + (earlier.size if earlier else 0)
        self._report = report
        places = (self._place, index_of(target), changes_of(target))
        self._unfinished, self._unfinished_index, self._unfinished_changes = (
            path.with_name(f"{path.name}.partial") for path in places
        )

    def write(self) -> dict[Change, int]:
        """Write what has changed, and put it in its place. Returns how many lines of each change. Raises
        `OSError`."""
        try:
            with (
                Output(self._unfinished, self._reported) as output,
                Changes(self._unfinished_changes) as changes,
            ):
                self._write(output, changes)
                return changes.counts
        finally:
            for path in (self._unfinished, self._unfinished_index, self._unfinished_changes):
                path.unlink(missing_ok=True)

    def _write(self, output: Output, changes: Changes) -> None:
        for source, part in enumerate(self._parts, FIRST_PART):
            self._copy_new(part, source, output, changes)
        if self._earlier:
            out = self._take_out(self._earlier, changes)
            if not out and not output.size:
                self._reported(self._earlier.size)
                unchanged = self._target.stat()
                self._write_index(lambda: merged_header(unchanged))
                self._unfinished_index.replace(index_of(self._target))
                return
            self._copy_what_stays(self._earlier, out, output)
        finished = output.finish()
        changes.finish()
        self._write_index(lambda: merged_header(finished()))
        # Whoever looks between two of these finds an index that does not fit, which nobody trusts.
        self._unfinished_index.replace(index_of(self._target))
        self._unfinished_changes.replace(changes_of(self._target))
        self._unfinished.replace(self._place)
        for directory in {self._target.parent, self._place.parent}:
            _sync_directory(directory)

    def _copy_new(self, part: PartLines, source: int, output: Output, changes: Changes) -> None:
        dealt_with = 0
        with part.path.open("rb", buffering=0) as file:
            for block in part.blocks():
                for some in checked(file, self._chosen.of(block, source)):
                    self._copy_good(some, output, changes)
                    end = int(some.lines["offset"][-1]) + int(some.lines["length"][-1])
                    self._reported(end - dealt_with)
                    dealt_with = end
        self._reported(part.size - dealt_with)

    def _copy_good(self, some: Checked, output: Output, changes: Changes) -> None:
        """A spoilt line is not written. What the earlier file has of its ID stays: it was the newest when it
        was merged. A line of another part does not come instead: nobody has ever been given it."""
        for tmdb_id in some.lines["id"][~some.is_good].tolist():
            self.spoilt.append(tmdb_id)
            self._chosen.give_up(tmdb_id, self._earlier.find_good(tmdb_id) if self._earlier else None)
        good = some.lines[some.is_good]
        ids, was_there = good["id"], self._chosen.was_there[good["id"]]
        self._chosen.place(good, output.size)
        for stretch in some.stretches():
            output.write(stretch)
        changes.add(ids[~was_there].tolist(), "added")
        changes.add(ids[was_there].tolist(), "updated")

    def _take_out(self, earlier: Earlier, changes: Changes) -> Stretches:
        damage = np.array(earlier.damage, np.uint64).reshape(-1, 2)
        offsets, lengths = [damage[:, 0]], [damage[:, 1]]
        for lines in earlier.blocks():
            source = self._chosen.source[lines["id"]]
            out = lines[source != EARLIER]
            offsets.append(out["offset"].copy())
            lengths.append(out["length"].copy())
            changes.add(lines["id"][source == NOWHERE].tolist(), "removed")
        return Stretches(earlier.size, np.concatenate(offsets), np.concatenate(lengths))

    def _copy_what_stays(self, earlier: Earlier, out: Stretches, output: Output) -> None:
        ahead = output.size
        with earlier.path.open("rb", buffering=0) as file:
            for start, end in out.left():
                output.copy(file, start, end)
        self._reported(earlier.size - (output.size - ahead))
        chosen = self._chosen
        for some in chosen.ids():
            ids = some[chosen.source[some] == EARLIER]
            offsets = chosen.offset[ids]
            chosen.offset[ids] = offsets - out.taken_before(offsets) + np.uint64(ahead)

    def _write_index(self, header: Callable[[], Header]) -> None:
        write_unfinished_index(self._unfinished_index, self._chosen.entries(), header)

    def _reported(self, count: int) -> None:
        self._report(count, self._total)


def _sync_directory(directory: Path) -> None:
    descriptor = os.open(directory, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
