"""What was seeded: which IDs of which export, most popular first, written down for the audit to repeat."""

from __future__ import annotations

import heapq
import operator
from collections.abc import Iterable, Sequence
from pathlib import Path

import msgspec

from tmdb_scrapy import privacy
from tmdb_scrapy.kinds import Kind
from tmdb_scrapy.sources.export import Line

EXPORT, DISCOVER = "export", "discover"


class Selection(msgspec.Struct, frozen=True, kw_only=True):
    """Which IDs of which export file were seeded."""

    file: str
    """The export; of discover the file of what it found."""
    source: str = EXPORT
    limit: int = 0
    """So many of the most popular; 0 for all."""
    min_popularity: float | None = None
    no_video: bool = False

    def admits(self, line: Line) -> bool:
        """Whether a line may be selected, but for the limit."""
        popular = self.min_popularity is None or line.popularity >= self.min_popularity
        return popular and not (self.no_video and line.video)

    @property
    def words(self) -> str:
        """What is selected of any export, as Redis keeps it."""
        return msgspec.json.encode(msgspec.structs.replace(self, file="")).decode()

    @classmethod
    def of_words(cls, words: str, file: str) -> Selection:
        """The same of the export in `file`."""
        return msgspec.structs.replace(msgspec.json.decode(words, type=cls), file=file)


def most_popular_first(lines: Iterable[Line], limit: int = 0) -> list[Line]:
    """Those of the same popularity by ID, so that the order is the same everywhere. `limit` 0 takes all.

    An export without popularity comes out by ID, which is TMDb's own order.
    """
    if limit:
        return heapq.nlargest(limit, lines, key=lambda line: (line.popularity, -line.id))
    # Two stable sorts: exports come sorted by ID, so that the first costs nothing.
    by_id = sorted(lines, key=operator.attrgetter("id"))
    return sorted(by_id, key=operator.attrgetter("popularity"), reverse=True)


class SeededRecord:
    """The selections of one kind that were seeded from this machine, in files under `directory`."""

    def __init__(self, directory: Path, kind: Kind) -> None:
        self._directory = directory
        self._kind = kind.name
        self._done = directory / f"{kind.name}.seeds.jsonl"
        self._begun = directory / f"{kind.name}.seeding.json"

    @property
    def discovered(self) -> Path:
        """Where it stands what discover found."""
        return self._directory / f"{self._kind}.discovered"

    def of_words(self, words: str, export: Path) -> Selection:
        """What was seeded, in a newer export."""
        selection = Selection.of_words(words, str(export.resolve()))
        if selection.source == EXPORT:
            return selection
        return msgspec.structs.replace(selection, file=str(self.discovered.resolve()))

    def forget(self) -> None:
        """Nothing is seeded any more: the ledger was started anew."""
        self._done.unlink(missing_ok=True)
        self.discovered.unlink(missing_ok=True)

    def begin(self, selection: Selection) -> None:
        """Write down that `selection` is being seeded, so that an interrupted seeding can be continued."""
        privacy.directory(self._directory)
        privacy.write(self._begun, msgspec.json.encode(selection))

    def finish(self, selection: Selection) -> None:
        """Write down that `selection` was seeded."""
        earlier = self.all()
        if selection not in earlier:
            privacy.write(self._done, msgspec.json.Encoder().encode_lines([*earlier, selection]))
        self._begun.unlink(missing_ok=True)

    def replace(self, selections: Sequence[Selection]) -> None:
        """Another export was compared: from now on it is the one that counts."""
        privacy.directory(self._directory)
        privacy.write(self._done, msgspec.json.Encoder().encode_lines(selections))

    def unfinished(self) -> Selection | None:
        """What was being seeded when it was interrupted."""
        try:
            return msgspec.json.decode(self._begun.read_bytes(), type=Selection)
        except (FileNotFoundError, msgspec.DecodeError):
            return None

    def all(self) -> list[Selection]:
        """All selections that were seeded from this machine."""
        try:
            lines = self._done.read_bytes().splitlines(keepends=True)
        except FileNotFoundError:
            return []
        # A last line without its end was being written when the machine stopped: it will be seeded again.
        return [msgspec.json.decode(line, type=Selection) for line in lines if line.endswith(b"\n")]
