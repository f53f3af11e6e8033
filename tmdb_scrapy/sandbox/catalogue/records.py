"""Real records from files: a JSON-lines catalogue, and recorded bodies that are served verbatim."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import msgspec

from tmdb_scrapy.sandbox.catalogue.appended import EMPTY, Appended, splice
from tmdb_scrapy.sandbox.catalogue.catalogue import Catalogue
from tmdb_scrapy.sandbox.catalogue.draws import Draw
from tmdb_scrapy.sandbox.catalogue.profiles import Outcome

_RECORDING = re.compile(r"(movie|person)-(\d+)(\..+)?\.json")
_KINDS: dict[str, str] = {"movie": "movies", "person": "people"}


class RecordCatalogue(Catalogue):
    """Records held as the bytes they came in.

    A record from a catalogue file gets the asked parts that it lacks, never empty, spliced in; a recording
    is answered byte for byte, whatever is asked.
    """

    def __init__(self, seed: int = 0) -> None:
        self._seed = seed
        self._parts = Appended(seed)
        self._records: dict[str, dict[int, bytes]] = {"movies": {}, "people": {}}
        self._verbatim: set[tuple[str, int]] = set()

    def read_lines(self, path: Path) -> None:
        """Add every record of a JSON-lines file; one with a `title` is a movie, else a person.

        Raises ValueError naming the line when one is not a JSON object with a whole-number `id`.
        """
        with path.open("rb") as lines:
            for number, line in enumerate(lines, 1):
                raw = line.strip()
                if raw:
                    record = _decoded(raw)
                    if record is None or not isinstance(record.get("id"), int):
                        raise ValueError(f"{path}, line {number}: not a JSON object with a whole-number id")
                    kind: str = "movies" if "title" in record or "original_title" in record else "people"
                    self._records[kind][record["id"]] = raw

    def read_recordings(self, folder: Path) -> None:
        """Add the files named `movie-ID[.anything].json` or `person-ID[.anything].json`.

        A file whose body is not the record of that ID, for example a recorded 404, is left out.
        """
        if not folder.is_dir():
            raise ValueError(f"{folder}: no such folder of recordings")
        for path in sorted(folder.iterdir()):
            match = _RECORDING.fullmatch(path.name)
            if match is None:
                continue
            body = path.read_bytes()
            kind, record_id = _KINDS[match[1]], int(match[2])
            record = _decoded(body)
            if record is not None and record.get("id") == record_id:
                self._records[kind][record_id] = body
                self._verbatim.add((kind, record_id))

    def ids(self, kind: str) -> Iterator[int]:
        return iter(sorted(self._records[kind]))

    def has(self, kind: str, record_id: int) -> bool:
        return record_id in self._records[kind]

    def body(self, kind: str, record_id: int, appended: Sequence[str] = ()) -> bytes | None:
        raw = self._records[kind].get(record_id)
        if raw is None or (kind, record_id) in self._verbatim:
            return raw
        present = _decoded(raw) or {}
        draw = Draw(f"{self._seed} {kind} {record_id}")
        added = {name: self._part(name, draw) for name in appended if name not in present}
        return splice(raw, {name: part for name, part in added.items() if part is not None})

    def outcome(self, kind: str, record_id: int) -> Outcome:
        body = self.body(kind, record_id, ["credits"])
        if body is None:
            return "missing"
        return "kept" if kind == "people" or _qualifies(_decoded(body) or {}) else "dropped"

    def export_line(self, kind: str, record_id: int) -> bytes:
        record = _decoded(self._records[kind][record_id]) or {}
        popularity = record.get("popularity") or 0.0
        if kind == "people":
            line: dict[str, object] = {"adult": False, "id": record_id, "name": record.get("name", "")}
            return msgspec.json.encode(line | {"popularity": popularity})
        title = record.get("original_title") or record.get("title", "")
        line = {"adult": False, "id": record_id, "original_title": title, "popularity": popularity}
        return msgspec.json.encode(line | {"video": bool(record.get("video"))})

    def _part(self, name: str, draw: Draw) -> bytes | None:
        match name:
            case "credits":
                return self._parts.credits(draw, draw.between(1, 12), draw.between(1, 12))
            case "movie_credits":
                return self._parts.movie_credits(draw, draw.between(1, 12), draw.between(1, 4))
            case "keywords":
                return self._parts.keywords(draw, draw.between(1, 12))
            case "similar" | "recommendations":
                return self._parts.movies(draw, draw.between(1, 4))
            case _:
                return EMPTY.get(name)


def _decoded(raw: bytes) -> dict[str, Any] | None:
    try:
        record = msgspec.json.decode(raw)
    except msgspec.DecodeError:
        return None
    return record if isinstance(record, dict) else None


def _qualifies(record: dict[str, Any]) -> bool:
    """The rule of the filter in its plainest words, kept apart from the project's own filter on purpose."""
    people = record.get("credits") or {}
    return bool(
        (record.get("budget") or 0) > 1000
        and (record.get("revenue") or 0) >= 10_000_000
        and record.get("genres")
        and people.get("cast")
        and people.get("crew")
    )
