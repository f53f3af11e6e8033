"""What every file says about itself."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime

from tmdb_scrapy.tables.schema import VERSION, Table

ATTRIBUTION = (
    "This product uses TMDB and the TMDB APIs but is not endorsed, certified, or otherwise approved by TMDB."
)
"""The sentence that TMDb's terms of use ask for."""


@dataclass(frozen=True, slots=True)
class Span:
    """The days, UTC, of the first and the last answer among the records of a merged file, as ISO 8601."""

    file: str
    oldest: str = ""
    """Empty where it is not known when the records were fetched."""
    newest: str = ""

    @classmethod
    def of(cls, file: str, oldest_ns: int | None, newest_ns: int | None) -> Span:
        """From nanoseconds since the epoch."""
        return cls(file, _day(oldest_ns), _day(newest_ns))


def metadata(spans: Iterable[Span]) -> dict[str, str]:
    """Keys and values for a file that was made of these merged files."""
    spans = list(spans)
    return {
        "source": ", ".join(span.file for span in spans),
        "oldest_record": min((span.oldest for span in spans if span.oldest), default=""),
        "newest_record": max((span.newest for span in spans), default=""),
        "schema_version": VERSION,
        "attribution": ATTRIBUTION,
    }


def spans_of(table: Table, spans: dict[str, Span]) -> list[Span]:
    """The merged files that a table was made of."""
    return [span for kind, span in spans.items() if kind in table.kinds]


def _day(nanoseconds: int | None) -> str:
    return "" if nanoseconds is None else datetime.fromtimestamp(nanoseconds // 10**9, UTC).date().isoformat()
