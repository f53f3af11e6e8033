"""What makes the records of one kind, from the seed, the ID and the day alone."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, ClassVar

import msgspec

from tmdb_scrapy.kinds import Kind
from tmdb_scrapy.sandbox.catalogue import words
from tmdb_scrapy.sandbox.catalogue.appended import NO_RESULTS, splice
from tmdb_scrapy.sandbox.catalogue.catalogue import Listed
from tmdb_scrapy.sandbox.catalogue.draws import Draw, mix, salt, unit
from tmdb_scrapy.sandbox.catalogue.population import Population
from tmdb_scrapy.sandbox.catalogue.profiles import Outcome
from tmdb_scrapy.sandbox.catalogue.world import World

_DELETED = 100
"""One in so many exported IDs leads to a 404 on the first day."""
_FALL = 0.2
"""What is left of a popularity that falls."""

Record = dict[str, Any]
encode = msgspec.json.Encoder().encode


class Generator:
    """As it stands, it makes plain records from what a Kind says: ID, name, and a popularity if the export
    has one; what is appended by default has no results. Kinds that have more derive from it.
    """

    usual_count: ClassVar[int] = 200
    has_adult: ClassVar[bool] = False
    """Whether the export's lines say `adult`."""
    padded_field: ClassVar[str] = "name"
    """The text that is lengthened where bodies must have a size."""
    empty: ClassVar[Mapping[str, bytes]] = {}
    """What can be appended and has nothing in it here."""

    def __init__(self, kind: Kind, count: int, world: World) -> None:
        self.kind = kind
        self.world = world
        self._salt = salt(kind.name)
        self.population = Population(kind.name, count, world, kind.has_changes, self.is_deleted_at_first)

    def is_deleted_at_first(self, record_id: int, bits: int) -> bool:
        """Whether the first export has the ID though it leads to a 404. The second record does, so that a
        small catalogue has one, too."""
        if bits % _DELETED == 0:
            return True
        return record_id < 14 and self.population.at_first.position(record_id) == 1

    def outcome(self, record_id: int, day: int) -> Outcome:
        """How a crawl of that day ends for an ID that its export has."""
        return self.rule(record_id, day) if self.population.is_there(record_id, day) else "missing"

    def rule(self, record_id: int, day: int) -> Outcome:
        """What the default filter says of a record that is there."""
        return "kept"

    def name(self, record_id: int) -> str:
        """Never changes."""
        return words.title(mix(self.world.seed, self._salt, record_id, 1))

    def popularity(self, record_id: int, day: int) -> float:
        """By a day's export. Heavy-tailed: most below 1, one in a million above 100."""
        base = self.scale(record_id, day) * (1.0 - unit(self.population.bits(record_id))) ** -0.45
        falls = self.population.falls(record_id, day)
        return round(float(base * _FALL**falls), 4)

    def scale(self, record_id: int, day: int) -> float:
        """The least popularity of a record of its sort."""
        return 0.3

    def export_line(self, record_id: int, day: int) -> bytes:
        """In the form of TMDb's export of 31 August 2026."""
        adult = b'"adult":false,' if self.has_adult else b""
        title = encode(self.name(record_id))
        line = b'{%b"id":%d,"%b":%b' % (adult, record_id, self.kind.title_field.encode(), title)
        if self.kind.has_popularity:
            line += b',"popularity":%b' % encode(self.popularity(record_id, day))
        if self.kind.has_video:
            line += b',"video":true' if self.is_video(record_id) else b',"video":false'
        return line + b"}"

    def is_video(self, record_id: int) -> bool:
        return False

    def body(self, record_id: int, names: Sequence[str], day: int) -> bytes | None:
        """The record of a day as encoded JSON, with these names appended; None when it leads to a 404."""
        if not self.population.is_there(record_id, day):
            return None
        edits = self.population.edits(record_id, day)
        drawn_on = edits[-1] if edits else 0
        bits = self.bits(record_id, drawn_on)
        draw = Draw(bits)
        record = self.record(record_id, drawn_on, draw)
        encoded = encode(record)
        appended = self.append(record, names, drawn_on, bits)
        if not self.world.body_size:
            return splice(encoded, appended)
        self.grow(encoded, appended)
        return _padded(splice(encoded, appended), self.padded_field, self.world.body_size)

    def bits(self, record_id: int, day: int) -> int:
        """64 bits for a record as it was edited on a day, 0 when it never was."""
        base = self.population.bits(record_id)
        return mix(base, day) if day else base

    def record(self, record_id: int, day: int, draw: Draw) -> Record:
        """The fields in TMDb's order, as they were edited on a day. A popularity stays as it was then, though
        the export's moves."""
        popularity = {"popularity": self.popularity(record_id, day)} if self.kind.has_popularity else {}
        return {"id": record_id, "name": self.name(record_id), **popularity}

    def append(self, record: Record, names: Sequence[str], day: int, bits: int) -> dict[str, bytes]:
        """What is appended, encoded, drawn from `bits`: each the same whatever else is asked for. A name that
        TMDb does not know is left out without a word."""
        known = {**dict.fromkeys(self.kind.appended, NO_RESULTS), **self.empty}
        return {name: known[name] for name in names if name in known}

    def grow(self, encoded: bytes, appended: dict[str, bytes]) -> None:
        """Let what is appended fill most of what a body lacks to the wanted size."""

    def listed(self, field: str, day: int) -> Iterator[Listed]:
        """Every record that discover can find; see `Catalogue.listed`."""
        raise KeyError(field)


def _padded(record: bytes, field: str, size: int) -> bytes:
    """Lengthen a text field of an encoded record until the whole has `size` bytes."""
    if len(record) >= size:
        return record
    opening = b'"%b":"' % field.encode()
    return record.replace(opening, opening + words.filler(size - len(record)), 1)
