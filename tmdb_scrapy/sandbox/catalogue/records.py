"""Real records from files: JSON lines, and recorded bodies that are served verbatim."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import msgspec

from tmdb_scrapy.kinds import KINDS
from tmdb_scrapy.sandbox.catalogue.appended import NO_RESULTS, Appended, splice
from tmdb_scrapy.sandbox.catalogue.catalogue import Catalogue, Listed
from tmdb_scrapy.sandbox.catalogue.draws import FewDraws, mix, salt
from tmdb_scrapy.sandbox.catalogue.generators import generator_of
from tmdb_scrapy.sandbox.catalogue.profiles import Outcome

_RECORDING = re.compile(r"([a-z]+)-(\d+)(\..+)?\.json")
_TITLES = {"title", "name"}
"""Every record has one of them; a season or credits that were recorded alone have another ID, or none."""
_KIND_OF_PATH = {kind.path: kind.name for kind in KINDS.values()}
_CHANGED = 25
"""One record in so many is told of by the change feed of a day, though it never differs."""

_SORTED_BY: dict[str, float | str] = {
    "revenue": 0,
    "popularity": 0.0,
    "primary_release_date": 0,
    "title": "",
    "original_title": "",
    "vote_average": 0.0,
    "vote_count": 0,
}
"""What discover sorts by, and the value of a record that lacks it."""


class RecordCatalogue(Catalogue):
    """Records held as the bytes they came in, the same on every day.

    A record from a JSON-lines file gets what is to be appended and is not in it spliced in, never empty where
    the filter looks at it; a recording is served byte for byte, whatever is asked.
    """

    def __init__(self, seed: int = 0) -> None:
        self._seed = seed
        self._appended = Appended(seed)
        self._records: dict[str, dict[int, bytes]] = {name: {} for name in KINDS}
        self._verbatim: set[tuple[str, int]] = set()
        self._day = 0

    def read_lines(self, path: Path, kind: str = "") -> None:
        """Add every record of a JSON-lines file. Where no kind is given, the file's name says it
        (`tv.jsonl`), or else the record: one with a title is a movie, another one a person.

        Raises ValueError naming the line when one is not a JSON object with a whole-number `id`.
        """
        named = kind or (path.stem if path.stem in KINDS else "")
        with path.open("rb") as lines:
            for number, line in enumerate(lines, 1):
                raw = line.strip()
                if raw:
                    record = _decoded(raw)
                    if record is None or not isinstance(record.get("id"), int):
                        raise ValueError(f"{path}, line {number}: not a JSON object with a whole-number id")
                    guessed = "movies" if "title" in record or "original_title" in record else "people"
                    self._records[named or guessed][record["id"]] = raw

    def read_recordings(self, folder: Path) -> None:
        """Add the files named as the API's path: `movie-ID[.anything].json`, `tv-ID[.anything].json`, ….

        A file whose body is not the record of that ID, for example a recorded 404 or a season, is left out.
        """
        if not folder.is_dir():
            raise ValueError(f"{folder}: no such folder of recordings")
        for path in sorted(folder.iterdir()):
            match = _RECORDING.fullmatch(path.name)
            kind = _KIND_OF_PATH.get(match[1]) if match else None
            if match is None or kind is None:
                continue
            body = path.read_bytes()
            record = _decoded(body)
            if record is not None and record.get("id") == int(match[2]) and record.keys() & _TITLES:
                self._records[kind][record["id"]] = body
                self._verbatim.add((kind, record["id"]))

    def at(self, day: int) -> RecordCatalogue:
        later = RecordCatalogue(self._seed)
        later._appended = self._appended
        later._records = self._records
        later._verbatim = self._verbatim
        later._day = day
        return later

    def ids(self, kind: str) -> Iterator[int]:
        return iter(sorted(self._records[kind]))

    def has(self, kind: str, record_id: int) -> bool:
        return record_id in self._records[kind]

    def body(self, kind: str, record_id: int, appended: Sequence[str] = ()) -> bytes | None:
        raw = self._records[kind].get(record_id)
        if raw is None or (kind, record_id) in self._verbatim:
            return raw
        present = _decoded(raw) or {}
        draw = FewDraws(mix(self._seed, salt(kind), record_id))
        wanted = [name for name in appended if name not in present]
        return splice(raw, self._added(kind, wanted, draw))

    def outcome(self, kind: str, record_id: int) -> Outcome:
        body = self.body(kind, record_id, ["credits"])
        if body is None:
            return "missing"
        return "kept" if kind != "movies" or _qualifies(_decoded(body) or {}) else "dropped"

    def export_line(self, kind: str, record_id: int) -> bytes:
        record = _decoded(self._records[kind][record_id]) or {}
        about = KINDS[kind]
        line: dict[str, object] = {"adult": False} if generator_of(about).has_adult else {}
        line |= {"id": record_id, about.title_field: record.get(about.title_field) or _title(record)}
        if about.has_popularity:
            line["popularity"] = record.get("popularity") or 0.0
        if about.has_video:
            line["video"] = bool(record.get("video"))
        return msgspec.json.encode(line)

    def changed(self, kind: str) -> Iterator[int]:
        return (number for number in self.ids(kind) if mix(self._seed, number, self._day) % _CHANGED == 0)

    def listed(self, kind: str, field: str) -> Iterator[Listed]:
        nothing = _SORTED_BY[field]
        for record_id in self.ids(kind):
            record = _decoded(self._records[kind][record_id]) or {}
            released = int((record.get("release_date") or "0").replace("-", ""))
            value = released if field == "primary_release_date" else record.get(field) or nothing
            yield record_id, value, released, bool(record.get("video"))

    def _added(self, kind: str, names: Sequence[str], draw: FewDraws) -> dict[str, bytes]:
        """What a record lacks, by name; nothing for a name that TMDb does not know."""
        make, about = self._appended, KINDS[kind]
        cards = make.series if kind == "tv" else make.movies
        key = b"results" if kind == "tv" else b"keywords"
        made: dict[str, Callable[[], bytes]] = {
            "credits": lambda: make.credits(draw, draw.between(1, 12), draw.between(1, 12)),
            "aggregate_credits": lambda: make.aggregate_credits(
                draw, draw.between(1, 12), draw.between(1, 12)
            ),
            "movie_credits": lambda: make.movie_credits(draw, draw.between(1, 12), draw.between(1, 4)),
            "keywords": lambda: make.keywords(draw, draw.between(1, 12), key),
            "similar": lambda: cards(draw, draw.between(1, 4)),
            "recommendations": lambda: cards(draw, draw.between(1, 4)),
        }
        empty = {**dict.fromkeys(about.appended, NO_RESULTS), **generator_of(about).empty}
        known = [name for name in names if name in made or name in empty]
        return {name: made[name]() if name in made else empty[name] for name in known}


def _decoded(raw: bytes) -> dict[str, Any] | None:
    try:
        record = msgspec.json.decode(raw)
    except msgspec.DecodeError:
        return None
    return record if isinstance(record, dict) else None


def _title(record: dict[str, Any]) -> str:
    return record.get("title") or record.get("name") or record.get("original_title") or ""


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
