"""Generated movies: TMDb's fields in TMDb's order, with words that nobody wrote."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import ClassVar

from tmdb_scrapy.kinds import Kind
from tmdb_scrapy.sandbox.catalogue import words
from tmdb_scrapy.sandbox.catalogue.appended import NO_CHANGES, NO_PAGE, NO_RESULTS
from tmdb_scrapy.sandbox.catalogue.cards import GENRES, LANGUAGES
from tmdb_scrapy.sandbox.catalogue.catalogue import Listed
from tmdb_scrapy.sandbox.catalogue.draws import Draw, FewDraws, draws_for, mix
from tmdb_scrapy.sandbox.catalogue.generator import Generator, Record
from tmdb_scrapy.sandbox.catalogue.profiles import (
    BY_THOUSANDTH,
    OBSCURE,
    OF_BIG_REVENUE,
    PROFILES,
    SUCCESSFUL,
    Outcome,
    Profile,
    Range,
)
from tmdb_scrapy.sandbox.catalogue.world import World

_BLOCKBUSTERS = 18
"""One in so many successful movies has a body of some 190 KB: about 1 % of all."""
_PAST_SHOWCASE = 10 * len(PROFILES)
"""Above the IDs of the first movies, whatever the seed."""
_OTHER_SORT = 4
"""One edit in so many makes a movie one of another sort, which may be kept where the old one was not."""
_MASK = (1 << 64) - 1
_SCATTER = 0x9E3779B97F4A7C15
"""Makes other numbers of the bits, that tell nothing of the popularity."""


class MovieGenerator(Generator):
    """Each movie is of one of the sorts in `profiles`."""

    usual_count = 3000
    has_adult = True
    padded_field = "overview"
    empty: ClassVar[Mapping[str, bytes]] = {
        "alternative_titles": b'{"titles":[]}',
        "changes": NO_CHANGES,
        "external_ids": b'{"imdb_id":null,"wikidata_id":null,"facebook_id":null,"instagram_id":null,'
        b'"twitter_id":null}',
        "images": b'{"backdrops":[],"logos":[],"posters":[]}',
        "lists": NO_PAGE,
        "release_dates": NO_RESULTS,
        "reviews": NO_PAGE,
        "translations": b'{"translations":[]}',
        "videos": NO_RESULTS,
        "watch/providers": b'{"results":{}}',
    }

    def __init__(self, kind: Kind, count: int, world: World) -> None:
        super().__init__(kind, count, world)
        self._last: tuple[tuple[int, int], Profile] = (0, 0), OBSCURE
        self._known_below: int | None = None
        """Movies whose scattered bits are from this upwards are obscure."""
        if world.successful is not None:
            share = world.successful / max(1, count * OF_BIG_REVENUE)
            self._known_below = int(min(1.0, share) * _MASK)
        self._sorted_by: dict[str, Callable[[int, int, Profile], float | str]] = {
            "revenue": lambda number, bits, profile: _revenue(profile, bits),
            "popularity": lambda number, bits, profile: self.popularity(number, 0),
            "primary_release_date": lambda number, bits, profile: _released(bits),
            "title": lambda number, bits, profile: self.name(number),
            "original_title": lambda number, bits, profile: self.name(number),
            "vote_average": lambda number, bits, profile: _vote_average(bits),
            "vote_count": lambda number, bits, profile: _vote_count(bits),
        }

    def is_deleted_at_first(self, record_id: int, bits: int) -> bool:
        return self._first_profile(record_id, bits).outcome == "missing"

    def rule(self, record_id: int, day: int) -> Outcome:
        return self._profile(record_id, day).outcome

    def scale(self, record_id: int, day: int) -> float:
        """Successful movies are more popular; those that are deleted by share as popular as they."""
        popular = self._profile(record_id, day).outcome == "kept"
        return 4.0 if popular or self.population.is_deleted_by_share(self.population.bits(record_id)) else 0.6

    def is_video(self, record_id: int) -> bool:
        return _is_video(self.population.bits(record_id))

    def record(self, record_id: int, day: int, draw: Draw) -> Record:
        title = self.name(record_id)
        bits, profile = self.bits(record_id, day), self._profile(record_id, day)
        language = draw.pick(LANGUAGES)
        genres = draw.sample(GENRES, draw.between(1, 3)) if profile.genres else []
        company = {
            "id": draw.between(1, 200_000),
            "logo_path": draw.image_path(),
            "name": title,
            "origin_country": "",
        }
        record: Record = {
            "adult": False,
            "backdrop_path": draw.image_path(),
            "belongs_to_collection": {"id": draw.between(1, 10**6), "name": title, "poster_path": None}
            if draw.random() < 0.1
            else None,
            "budget": _amount(profile.budget, bits >> 9),
            "genres": [{"id": number, "name": name} for number, name in genres],
            "homepage": "" if draw.random() < 0.8 else f"https://example.org/{record_id}?a=1&b=2",
            "id": record_id,
            "imdb_id": f"tt{draw.between(1, 9_999_999):07}" if draw.random() < 0.8 else None,
            "origin_country": ["US"],
            "original_language": language,
            "original_title": title,
            "overview": _overview(draw),
            "popularity": self.popularity(record_id, day),
            "poster_path": draw.image_path(),
            "production_companies": [company] if draw.random() < 0.5 else [],
            "production_countries": [{"iso_3166_1": "US", "name": "United States of America"}],
            "release_date": _text(_released(bits)),
            "revenue": _amount(profile.revenue, bits >> 13),
            "runtime": draw.pick([None, 0, 4, 88, 90, 101, 124]),
            "softcore": False,
            "spoken_languages": [{"english_name": "English", "iso_639_1": "en", "name": "English"}],
            "status": "Released",
            "tagline": words.sentence(draw, 5) if draw.random() < 0.3 else "",
            "title": title,
            "video": self.is_video(record_id),
            "vote_average": _vote_average(bits),
            "vote_count": _vote_count(bits),
        }
        for field in profile.absent:
            record.pop(field, None)
        return record

    def append(self, record: Record, names: Sequence[str], day: int, bits: int) -> dict[str, bytes]:
        profile = self._profile(record["id"], day)
        cast, crew, similar, recommended = self._counts(bits, profile)
        make = self.world.appended
        found: dict[str, bytes] = {}
        for name in names:
            if name in profile.absent:
                continue
            draw = draws_for(name, bits)
            if name == "credits":
                found[name] = make.credits(draw, cast * profile.cast, crew * profile.crew)
            elif name == "keywords":
                found[name] = make.keywords(draw, draw.between(0, 12))
            elif name == "similar":
                found[name] = make.movies(draw, similar)
            elif name == "recommendations":
                found[name] = make.movies(draw, recommended)
            elif name in self.empty:
                found[name] = self.empty[name]
        return found

    def grow(self, encoded: bytes, appended: dict[str, bytes]) -> None:
        short = self.world.body_size - len(encoded) - sum(map(len, appended.values()))
        if "similar" in appended and short > 0:
            draw = FewDraws(len(encoded))
            card = len(self.world.appended.movies(draw, 20)) // 20
            appended["similar"] = self.world.appended.movies(draw, max(1, short // card - 6))

    def listed(self, field: str, day: int) -> Iterator[Listed]:
        value_of = self._sorted_by[field]
        for record_id, base, position in self.population.there(day):
            edits = self.population.edits_at(position, day) if day > 0 else ()
            bits = mix(base, edits[-1]) if edits else base
            profile = self._profile_of(record_id, base, edits)
            yield record_id, value_of(record_id, bits, profile), _released(bits), _is_video(base)

    def _values(self) -> dict[str, Callable[[int, int, int], float | str]]:
        """By the name of what TMDb can sort by: the value of a record, from its ID, its bits and the day."""
        return {
            "revenue": lambda number, bits, day: _amount(self._profile(number, day).revenue, bits >> 13) or 0,
            "popularity": lambda number, bits, day: self.popularity(number, day),
            "primary_release_date": lambda number, bits, day: _released(bits),
            "title": lambda number, bits, day: self.name(number),
            "original_title": lambda number, bits, day: self.name(number),
            "vote_average": lambda number, bits, day: _vote_average(bits),
            "vote_count": lambda number, bits, day: _vote_count(bits),
        }

    def _profile(self, record_id: int, day: int) -> Profile:
        """The sort of a movie on a day; of one that was deleted, what it is when it is back. Who asks for one
        movie asks several times."""
        if self._last[0] == (record_id, day):
            return self._last[1]
        edits = self.population.edits(record_id, day) if day > 0 else ()
        profile = self._profile_of(record_id, self.population.bits(record_id), edits)
        self._last = (record_id, day), profile
        return profile

    def _profile_of(self, record_id: int, base: int, edits: Sequence[int]) -> Profile:
        for edited in reversed(edits):
            bits = mix(base, edited)
            if (bits >> 50) % _OTHER_SORT == 0:
                drawn = self._drawn_profile(bits)
                return OBSCURE if drawn.outcome == "missing" else drawn
        first = self._first_profile(record_id, base)
        return SUCCESSFUL if first.outcome == "missing" else first

    def _first_profile(self, record_id: int, bits: int) -> Profile:
        """The first movies show every profile once, so that even a small catalogue has them all."""
        if record_id < _PAST_SHOWCASE:
            position = self.population.at_first.position(record_id)
            if position is not None and position < len(PROFILES):
                return PROFILES[position]
        return self._drawn_profile(bits)

    def _drawn_profile(self, bits: int) -> Profile:
        if self._known_below is not None and (bits * _SCATTER) & _MASK >= self._known_below:
            return OBSCURE
        return BY_THOUSANDTH[bits % len(BY_THOUSANDTH)]

    def _counts(self, bits: int, profile: Profile) -> tuple[int, int, int, int]:
        """How many entries: cast, crew, similar, recommendations."""
        draw = FewDraws(bits)
        if profile.outcome != "kept":
            return draw.between(1, 4), draw.between(1, 3), draw.between(1, 3), draw.between(0, 1)
        if not self.world.body_size and (bits >> 32) % _BLOCKBUSTERS == 0:
            return draw.between(90, 130), draw.between(430, 500), 20, 20
        return draw.between(3, 10), draw.between(2, 10), draw.between(2, 4), draw.between(0, 2)


GENERATOR = MovieGenerator


def _is_video(bits: int) -> bool:
    return (bits >> 20) % 32 == 0


def _amount(span: Range | None, bits: int) -> int | None:
    return None if span is None else span[0] + bits % (span[1] - span[0] + 1)


def _revenue(profile: Profile, bits: int) -> int:
    """What a list that is sorted by revenue takes it for."""
    return 0 if "revenue" in profile.absent else _amount(profile.revenue, bits >> 13) or 0


def _released(bits: int) -> int:
    """The day as a number, such as 20260831; 0 for one in twenty, of which it is not known."""
    if (bits >> 44) % 20 == 0:
        return 0
    return (1930 + (bits >> 24) % 97) * 10_000 + (1 + (bits >> 33) % 12) * 100 + 1 + (bits >> 37) % 28


def _text(day: int) -> str:
    return f"{day // 10_000}-{day // 100 % 100:02}-{day % 100:02}" if day else ""


def _vote_average(bits: int) -> float:
    return (bits >> 17) % 10_001 / 1000


def _vote_count(bits: int) -> int:
    """Heavy-tailed, as TMDb's: half of the movies have one or two."""
    return min(40_000, int((1.0 - (bits & 0xFFFFFFFF) / (1 << 32)) ** (-1 / 0.7)))


def _overview(draw: Draw) -> str:
    """Mostly one sentence; at times none, or two paragraphs, whose line break JSON writes as an escape."""
    roll = draw.random()
    if roll < 0.15:
        return ""
    text = words.sentence(draw, draw.between(8, 60))
    return f"{text}\r\n\r\n{words.sentence(draw, 12)}" if roll > 0.95 else text
