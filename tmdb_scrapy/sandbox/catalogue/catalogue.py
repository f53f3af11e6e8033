"""What the sandbox holds: the records that exist, their bodies, and how each should end."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence

from tmdb_scrapy.sandbox.catalogue.profiles import Outcome

Listed = tuple[int, float | str, int, bool]
"""What a list is sorted and sifted by: ID, value of the field that is sorted by, day of release as a number
(20260831 for 31 August 2026; 0 when it is not known), whether it is a video."""


class Catalogue(ABC):
    """The questions that the server and the tests ask; no method does I/O. A kind is named as in KINDS."""

    @abstractmethod
    def at(self, day: int) -> Catalogue:
        """The same catalogue on another day. Days count from 0, the catalogue as it was made; those before
        are like it, except for what changed on them."""

    @abstractmethod
    def ids(self, kind: str) -> Iterator[int]:
        """Every exported ID, ascending. On day 0 some of them lead to a 404: they were deleted since."""

    @abstractmethod
    def has(self, kind: str, record_id: int) -> bool:
        """Whether the ID is exported."""

    @abstractmethod
    def body(self, kind: str, record_id: int, appended: Sequence[str] = ()) -> bytes | None:
        """The record with what is appended as encoded JSON; None when the API should send a 404."""

    @abstractmethod
    def outcome(self, kind: str, record_id: int) -> Outcome:
        """How a correct crawl with the default filter, and credits appended, ends for an exported ID."""

    @abstractmethod
    def export_line(self, kind: str, record_id: int) -> bytes:
        """The ID's line in the daily export, without the line break."""

    @abstractmethod
    def changed(self, kind: str) -> Iterator[int]:
        """The IDs that the change feed tells of this day, each once."""

    @abstractmethod
    def listed(self, kind: str, field: str) -> Iterator[Listed]:
        """Every record that discover can find, with its value of a field that it can sort by.

        Raises KeyError for a field that it cannot sort by.
        """

    def expected(self, kind: str) -> Iterator[tuple[int, Outcome]]:
        """The truth about every exported ID, in ascending order; `dict()` of it makes a table."""
        return ((record_id, self.outcome(kind, record_id)) for record_id in self.ids(kind))
