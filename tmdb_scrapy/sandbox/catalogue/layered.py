"""Several catalogues as one."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from tmdb_scrapy.sandbox.catalogue.catalogue import Catalogue, Listed
from tmdb_scrapy.sandbox.catalogue.profiles import Outcome


class LayeredCatalogue(Catalogue):
    """Where two catalogues hold an ID, the earlier one's record counts."""

    def __init__(self, layers: Sequence[Catalogue]) -> None:
        self._layers = layers

    def at(self, day: int) -> LayeredCatalogue:
        return LayeredCatalogue([layer.at(day) for layer in self._layers])

    def ids(self, kind: str) -> Iterator[int]:
        return iter(sorted({record_id for layer in self._layers for record_id in layer.ids(kind)}))

    def body(self, kind: str, record_id: int, appended: Sequence[str] = ()) -> bytes | None:
        layer = self._layer(kind, record_id)
        return layer.body(kind, record_id, appended) if layer else None

    def outcome(self, kind: str, record_id: int) -> Outcome:
        layer = self._layer(kind, record_id)
        return layer.outcome(kind, record_id) if layer else "missing"

    def export_line(self, kind: str, record_id: int) -> bytes:
        layer = self._layer(kind, record_id)
        if layer is None:
            raise KeyError(record_id)
        return layer.export_line(kind, record_id)

    def changed(self, kind: str) -> Iterator[int]:
        return (
            number
            for layer in self._layers
            for number in layer.changed(kind)
            if self._layer(kind, number) in {layer, None}
        )

    def listed(self, kind: str, field: str) -> Iterator[Listed]:
        return (
            listed
            for layer in self._layers
            for listed in layer.listed(kind, field)
            if self._layer(kind, listed[0]) is layer
        )

    def has(self, kind: str, record_id: int) -> bool:
        return self._layer(kind, record_id) is not None

    def _layer(self, kind: str, record_id: int) -> Catalogue | None:
        return next((layer for layer in self._layers if layer.has(kind, record_id)), None)
