"""Generated movies: TMDb's fields in TMDb's order, with words that nobody wrote."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from tmdb_scrapy.sandbox.catalogue import words
from tmdb_scrapy.sandbox.catalogue.appended import (
    EMPTY,
    GENRES,
    MOVIE_SALT,
    Appended,
    image_path,
    movie_title,
    padded,
    splice,
)
from tmdb_scrapy.sandbox.catalogue.draws import Draw, mix, unit
from tmdb_scrapy.sandbox.catalogue.ids import SparseIds
from tmdb_scrapy.sandbox.catalogue.profiles import BY_THOUSANDTH, PROFILES, Outcome, Profile, Range

_BLOCKBUSTERS = 18
"""One in so many successful movies has a body of some 190 KB: about 1 % of all."""
_PAST_SHOWCASE = 10 * len(PROFILES)
"""Above the IDs of the first movies, whatever the seed."""
_encode = msgspec.json.Encoder().encode


class MovieGenerator:
    """Makes any movie of a seed on demand."""

    def __init__(self, seed: int, ids: SparseIds, parts: Appended, body_size: int) -> None:
        self.ids = ids
        self._seed = seed
        self._parts = parts
        self._body_size = body_size

    def outcome(self, movie_id: int) -> Outcome:
        return self._profile(movie_id, self._bits(movie_id)).outcome

    def export_line(self, movie_id: int) -> bytes:
        bits = self._bits(movie_id)
        return b'{"adult":false,"id":%d,"original_title":%b,"popularity":%b,"video":%b}' % (
            movie_id,
            _encode(movie_title(self._seed, movie_id)),
            _encode(_popularity(bits, self._profile(movie_id, bits))),
            b"true" if _video(bits) else b"false",
        )

    def body(self, movie_id: int, appended: Sequence[str]) -> bytes | None:
        if movie_id not in self.ids:
            return None
        bits = self._bits(movie_id)
        profile = self._profile(movie_id, bits)
        if profile.outcome == "missing":
            return None
        draw = Draw(bits)
        encoded = _encode(self._record(movie_id, bits, profile, draw))
        parts = self._appended(bits, profile, draw, appended)
        if not self._body_size:
            return splice(encoded, parts)
        self._grow(encoded, parts, draw)
        return padded(splice(encoded, parts), "overview", self._body_size)

    def _bits(self, movie_id: int) -> int:
        return mix(self._seed, MOVIE_SALT, movie_id)

    def _profile(self, movie_id: int, bits: int) -> Profile:
        """The first movies show every profile once, so that even a small catalogue has them all."""
        if movie_id < _PAST_SHOWCASE:
            position = self.ids.position(movie_id)
            if position is not None and position < len(PROFILES):
                return PROFILES[position]
        return BY_THOUSANDTH[bits % len(BY_THOUSANDTH)]

    def _record(self, movie_id: int, bits: int, profile: Profile, draw: Draw) -> dict[str, object]:
        title = movie_title(self._seed, movie_id)
        language = draw.pick(["en", "en", "fr", "de", "ja", "hi", "es"])
        genres = draw.sample(GENRES, draw.between(1, 3)) if profile.genres else []
        company = {
            "id": draw.between(1, 200_000),
            "logo_path": image_path(draw),
            "name": title,
            "origin_country": "",
        }
        record: dict[str, object] = {
            "adult": False,
            "backdrop_path": image_path(draw),
            "belongs_to_collection": {"id": draw.between(1, 10**6), "name": title, "poster_path": None}
            if draw.random() < 0.1
            else None,
            "budget": _amount(profile.budget, draw),
            "genres": [{"id": number, "name": name} for number, name in genres],
            "homepage": "" if draw.random() < 0.8 else f"https://example.org/{movie_id}?a=1&b=2",
            "id": movie_id,
            "imdb_id": f"tt{draw.between(1, 9_999_999):07}" if draw.random() < 0.8 else None,
            "origin_country": ["US"],
            "original_language": language,
            "original_title": title,
            "overview": _overview(draw),
            "popularity": _popularity(bits, profile),
            "poster_path": image_path(draw),
            "production_companies": [company] if draw.random() < 0.5 else [],
            "production_countries": [{"iso_3166_1": "US", "name": "United States of America"}],
            "release_date": _date(draw),
            "revenue": _amount(profile.revenue, draw),
            "runtime": draw.pick([None, 0, 4, 88, 90, 101, 124]),
            "softcore": False,
            "spoken_languages": [{"english_name": "English", "iso_639_1": "en", "name": "English"}],
            "status": "Released",
            "tagline": words.sentence(draw, 5) if draw.random() < 0.3 else "",
            "title": title,
            "video": _video(bits),
            "vote_average": round(draw.uniform(0, 10), 3),
            "vote_count": int(draw.paretovariate(0.7)),
        }
        for field in profile.absent:
            record.pop(field, None)
        return record

    def _appended(self, bits: int, profile: Profile, draw: Draw, appended: Sequence[str]) -> dict[str, bytes]:
        cast, crew, similar, recommended = self._counts(bits, profile, draw)
        parts: dict[str, bytes] = {}
        for name in appended:
            if name in profile.absent:
                continue
            if name == "credits":
                parts[name] = self._parts.credits(draw, cast * profile.cast, crew * profile.crew)
            elif name == "keywords":
                parts[name] = self._parts.keywords(draw, draw.between(0, 12))
            elif name == "similar":
                parts[name] = self._parts.movies(draw, similar)
            elif name == "recommendations":
                parts[name] = self._parts.movies(draw, recommended)
            elif name in EMPTY:
                parts[name] = EMPTY[name]
        return parts

    def _counts(self, bits: int, profile: Profile, draw: Draw) -> tuple[int, int, int, int]:
        """How many entries: cast, crew, similar, recommendations."""
        if profile.outcome != "kept":
            return draw.between(1, 4), draw.between(1, 3), draw.between(1, 3), draw.between(0, 1)
        if not self._body_size and (bits >> 32) % _BLOCKBUSTERS == 0:
            return draw.between(90, 130), draw.between(430, 500), 20, 20
        return draw.between(3, 10), draw.between(2, 10), draw.between(2, 4), draw.between(0, 2)

    def _grow(self, encoded: bytes, parts: dict[str, bytes], draw: Draw) -> None:
        """Let similar movies, if they were asked for, fill most of what a body lacks to its wanted size."""
        short = self._body_size - len(encoded) - sum(len(part) for part in parts.values())
        if "similar" in parts and short > 0:
            card = len(self._parts.movies(draw, 20)) // 20
            parts["similar"] = self._parts.movies(draw, max(1, short // card - 4))


def _video(bits: int) -> bool:
    return (bits >> 20) % 32 == 0


def _popularity(bits: int, profile: Profile) -> float:
    """Heavy-tailed: most below 2, one in a million above 1000; successful movies higher."""
    factor = 4.0 if profile.outcome == "kept" else 0.6
    return round(float(factor * (1.0 - unit(bits)) ** -0.45), 4)


def _amount(span: Range | None, draw: Draw) -> int | None:
    return None if span is None else draw.between(*span)


def _overview(draw: Draw) -> str:
    """Mostly one sentence; at times none, or two paragraphs, whose line break JSON writes as an escape."""
    roll = draw.random()
    if roll < 0.15:
        return ""
    text = words.sentence(draw, draw.between(8, 60))
    return f"{text}\r\n\r\n{words.sentence(draw, 12)}" if roll > 0.95 else text


def _date(draw: Draw) -> str:
    if draw.random() < 0.05:
        return ""
    return f"{draw.between(1900, 2027)}-{draw.between(1, 12):02}-{draw.between(1, 28):02}"
