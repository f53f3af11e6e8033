"""What `append_to_response` adds to a record, joined from pools of ready-made entries.

Joining encoded entries is some ten times cheaper than encoding them anew, which lets one core serve a
catalogue of a million movies without storing it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cached_property

import msgspec

from tmdb_scrapy.sandbox.catalogue import cards, words
from tmdb_scrapy.sandbox.catalogue.draws import Draw, FewDraws, salt
from tmdb_scrapy.sandbox.catalogue.ids import SparseIds

_POOL = 600
NO_RESULTS = b'{"results":[]}'
NO_PAGE = b'{"page":1,"results":[],"total_pages":0,"total_results":0}'
NO_CHANGES = b'{"changes":[]}'
_CREDIT_ID = cards.CREDIT_ID.encode()
_encode = msgspec.json.Encoder().encode


class Appended:
    """Builds what is appended for one seed. Every method returns encoded JSON."""

    def __init__(self, seed: int) -> None:
        self._seed = seed

    def credits(self, draw: FewDraws, cast: int, crew: int) -> bytes:
        """Of a movie or a series: so many actors and so many others."""
        return _credits(draw, _numbered(draw, self._cast, cast), draw.run(self._crew, crew))

    def aggregate_credits(self, draw: FewDraws, cast: int, crew: int) -> bytes:
        """Of a series, over all its seasons."""
        return _credits(
            draw, _numbered(draw, self._aggregate_cast, cast), draw.run(self._aggregate_crew, crew)
        )

    def movie_credits(self, draw: FewDraws, cast: int, crew: int) -> bytes:
        """Of a person: so many parts played and so many other jobs."""
        return _credits(draw, _numbered(draw, self._played, cast), draw.run(self._worked, crew))

    def tv_credits(self, draw: FewDraws, cast: int, crew: int) -> bytes:
        return _credits(draw, draw.run(self._played_in_series, cast), draw.run(self._worked_on_series, crew))

    def keywords(self, draw: FewDraws, count: int, key: bytes = b"keywords") -> bytes:
        """Under `keywords` for movies; TMDb has those of series under `results`."""
        return b'{"%b":[%b]}' % (key, b",".join(draw.run(self._keywords, count)))

    def movies(self, draw: FewDraws, count: int) -> bytes:
        """A first page of `similar` or `recommendations`."""
        return _page(draw.run(self._movies, count))

    def series(self, draw: FewDraws, count: int) -> bytes:
        return _page(draw.run(self._series, count))

    def collection(self, draw: FewDraws, count: int) -> bytes:
        """The movies of a collection: a list, since it is no appended object but a field."""
        return b"[%b]" % b",".join(draw.run(self._movies, count))

    # The pools. Each has its own draws and is made when it is first needed.

    @cached_property
    def _cast(self) -> list[bytes]:
        return self._people("cast", cards.in_cast, is_open=True)

    @cached_property
    def _crew(self) -> list[bytes]:
        return self._people("crew", cards.in_crew)

    @cached_property
    def _aggregate_cast(self) -> list[bytes]:
        return self._people("aggregate cast", cards.roles, is_open=True)

    @cached_property
    def _aggregate_crew(self) -> list[bytes]:
        return self._people("aggregate crew", cards.jobs)

    @cached_property
    def _movies(self) -> list[bytes]:
        return self._pool("movies", cards.movie, "movies", _nothing)

    @cached_property
    def _played(self) -> list[bytes]:
        return self._pool("movies", cards.movie, "played", cards.played, is_open=True)

    @cached_property
    def _worked(self) -> list[bytes]:
        return self._pool("movies", cards.movie, "worked", cards.in_crew)

    @cached_property
    def _series(self) -> list[bytes]:
        return self._pool("tv", cards.series, "series", _nothing)

    @cached_property
    def _played_in_series(self) -> list[bytes]:
        return self._pool("tv", cards.series, "played in series", cards.played_in_series)

    @cached_property
    def _worked_on_series(self) -> list[bytes]:
        return self._pool("tv", cards.series, "worked on series", cards.worked_on_series)

    @cached_property
    def _keywords(self) -> list[bytes]:
        return [_encode({"id": number, "name": word}) for number, word in enumerate(words.WORDS, 1)]

    def _people(self, name: str, fields: Callable[[Draw], cards.Card], is_open: bool = False) -> list[bytes]:
        return self._pool("people", cards.person, name, fields, is_open)

    def _pool(
        self,
        kind: str,
        card: Callable[[int, int, Draw], cards.Card],
        name: str,
        fields: Callable[[Draw], cards.Card],
        is_open: bool = False,
    ) -> list[bytes]:
        """Cards of the first records of a kind with more fields. `is_open` leaves the closing brace away, for
        a last field that depends on the position."""
        draw = Draw(f"{self._seed} {name}")
        ids = SparseIds(self._seed, salt(kind), _POOL)
        entries = [_encode(card(self._seed, number, draw) | fields(draw)) for number in ids]
        return [entry[:-1] for entry in entries] if is_open else entries


def splice(record: bytes, appended: dict[str, bytes]) -> bytes:
    """Put encoded objects before the closing brace of an encoded record; the rest stays as it is."""
    if not appended:
        return record
    opened = record.rstrip()[:-1]
    comma = b"" if opened.endswith(b"{") else b","
    added = b",".join(b'"%b":%b' % (name.encode(), encoded) for name, encoded in appended.items())
    return opened + comma + added + b"}"


def _nothing(draw: Draw) -> cards.Card:
    return {}


def _numbered(draw: FewDraws, pool: Sequence[bytes], count: int) -> list[bytes]:
    return [b'%b,"order":%d}' % (entry, order) for order, entry in enumerate(draw.run(pool, count))]


def _credits(draw: FewDraws, cast: Sequence[bytes], crew: Sequence[bytes]) -> bytes:
    return b'{"cast":[%b],"crew":[%b]}' % (b",".join(_own_ids(draw, cast)), b",".join(_own_ids(draw, crew)))


def _own_ids(draw: FewDraws, credited: Sequence[bytes]) -> list[bytes]:
    """The same credits, each with an ID that no other credit has."""
    first = draw.bits() << 31
    return [entry.replace(_CREDIT_ID, b"%024x" % (first + number)) for number, entry in enumerate(credited)]


def _page(results: Sequence[bytes]) -> bytes:
    count = len(results)
    return b'{"page":1,"results":[%b],"total_pages":%d,"total_results":%d}' % (
        b",".join(results),
        1 + count // 20,
        count,
    )
