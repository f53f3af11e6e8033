"""Movies counted in one pass over their merged file, a line at a time."""

from __future__ import annotations

from array import array
from collections import Counter
from collections.abc import Callable, Iterable
from datetime import date
from pathlib import Path

from tmdb_scrapy.tables.entries import Country, Entry, Language, Named, Person, Record, Whole
from tmdb_scrapy.tables.reading import Unreadable, reader
from tmdb_scrapy.tables.source import BrokenLine
from tmdb_scrapy.watch.report.casts import Casts
from tmdb_scrapy.watch.report.collected import (
    CONNECTED,
    FIELDS,
    LONGEST_RUNTIME,
    RUNTIME_STEP,
    Amount,
    Collected,
    Connected,
)

BUFFER_BYTES = 1 << 20


class Cast(Entry, gc=False):
    id: Whole | None = None
    credit_id: str | None = None


class Counted(Entry, gc=False):
    """An entry that only has to be there."""

    id: Whole | None = None


class Worked(Entry, gc=False):
    credit_id: str | None = None


class Credits(Entry):
    cast: list[Cast | None] | None = None
    crew: list[Worked | None] | None = None


NO_CREDITS = Credits()


class Keywords(Entry):
    keywords: list[Counted | None] | None = None


class Movie(Record):
    """What is read of a movie."""

    title: str | None = None
    imdb_id: str | None = None
    original_language: str | None = None
    release_date: str | None = None
    runtime: Whole | None = None
    budget: Whole | None = None
    revenue: Whole | None = None
    vote_average: float | None = None
    vote_count: Whole | None = None
    overview: str | None = None
    tagline: str | None = None
    homepage: str | None = None
    poster_path: str | None = None
    backdrop_path: str | None = None
    belongs_to_collection: Counted | None = None
    genres: list[Named | None] | None = None
    production_companies: list[Counted | None] | None = None
    production_countries: list[Country | None] | None = None
    spoken_languages: list[Language | None] | None = None
    credits: Credits | None = None
    keywords: Keywords | None = None


class NamedCredits(Entry):
    cast: list[Person | None] | None = None


class WithNames(Record):
    """Of a movie whose people's names are wanted."""

    credits: NamedCredits | None = None


def from_lines(path: Path, report: Callable[[int], None]) -> Collected:
    """Count the movies of a merged file. `report` is called with the bytes read since the last call.

    Raises `BrokenLine`, `OSError`.
    """
    counting = _Counting()
    read = reader(Movie)
    offsets = array("Q")
    at = reported = 0
    with path.open("rb", buffering=BUFFER_BYTES) as lines:
        for number, line in enumerate(lines, 1):
            try:
                counting.add(read(line))
            except Unreadable as error:
                raise BrokenLine(f"{path}, line {number}: {error}") from None
            offsets.append(at)
            at += len(line)
            if at - reported >= BUFFER_BYTES:
                report(at - reported)
                reported = at
        report(at - reported)
        return counting.finished(lambda movie: _line_at(path, offsets[movie]))


def _line_at(path: Path, offset: int) -> bytes:
    with path.open("rb") as file:
        file.seek(offset)
        return file.readline()


class _Names:
    """How often each ID or code occurs, and the last name of each: one may differ from record to record."""

    def __init__(self) -> None:
        self.counts: Counter[int | str] = Counter()
        self.names: dict[int | str, str] = {}

    def named(self) -> Counter[str]:
        counts: Counter[str] = Counter()
        for key, count in self.counts.items():
            counts[self.names.get(key, str(key))] += count
        return counts


class _Counting:
    """Counts by what a record has, and sums up at the end."""

    def __init__(self) -> None:
        self._found = Collected()
        self._casts = Casts()
        self._genres = _Names()
        self._countries = _Names()
        self._languages = _Names()
        self._has: Counter[tuple[bool, ...]] = Counter()
        """By which of `FIELDS` say something."""

    def add(self, movie: Movie) -> None:
        keywords = movie.keywords.keywords if movie.keywords else None
        has = (
            movie.title, movie.imdb_id, self._release(movie.release_date), movie.runtime, movie.budget,
            movie.revenue, movie.vote_count, movie.overview, movie.tagline, movie.homepage,
            movie.poster_path, movie.backdrop_path, _any([movie.belongs_to_collection]),
            self._genres_of(movie), _any(keywords), _any(movie.production_companies),
            self._countries_of(movie), self._languages_of(movie), *self._credits_of(movie.credits),
        )  # fmt: skip
        self._has[tuple(map(bool, has))] += 1
        self._measure(movie)

    def _release(self, text: str | None) -> bool:
        year = _year(text)
        if year is None:
            return False
        self._found.decades[year // 10 * 10] += 1
        return True

    def _measure(self, movie: Movie) -> None:
        found = self._found
        if movie.budget and movie.revenue and movie.budget > 0 and movie.revenue > 0:
            found.money[Amount.of(movie.budget), Amount.of(movie.revenue)] += 1
        if movie.runtime and movie.runtime > 0:
            found.runtimes[min(movie.runtime, LONGEST_RUNTIME) // RUNTIME_STEP * RUNTIME_STEP] += 1
        if movie.vote_count and movie.vote_average is not None and 0 <= movie.vote_average <= 10:
            found.votes[int(movie.vote_average)] += 1

    def _genres_of(self, movie: Movie) -> bool:
        ids, names = set(), self._genres.names
        for genre in movie.genres or ():
            if genre is not None and genre.id is not None:
                ids.add(genre.id)
                if genre.name:
                    names[genre.id] = genre.name
        for one in ids:
            self._genres.counts[one] += 1
        return bool(ids)

    def _countries_of(self, movie: Movie) -> bool:
        codes, names = set(), self._countries.names
        for country in movie.production_countries or ():
            if country is not None and country.iso_3166_1:
                codes.add(country.iso_3166_1)
                if country.name:
                    names[country.iso_3166_1] = country.name
        for code in codes:
            self._countries.counts[code] += 1
        return bool(codes)

    def _languages_of(self, movie: Movie) -> bool:
        """The spoken ones have names; counted is the original one."""
        if movie.original_language:
            self._languages.counts[movie.original_language] += 1
        any_spoken, names = False, self._languages.names
        for language in movie.spoken_languages or ():
            if language is not None and language.iso_639_1:
                any_spoken = True
                if language.english_name:
                    names[language.iso_639_1] = language.english_name
        return any_spoken

    def _credits_of(self, credits: Credits | None) -> tuple[bool, bool]:
        """Whether there are cast and crew. As in the tables, an entry without an ID of its own is none."""
        credits = credits or NO_CREDITS
        cast = [entry.id for entry in credits.cast or () if entry is not None and entry.credit_id]
        self._casts.add({person for person in cast if person is not None})
        return bool(cast), _any_credit(credits.crew)

    def finished(self, line_of: Callable[[int], bytes]) -> Collected:
        """All that was counted. `line_of`: from the number of a movie to its line."""
        found = self._found
        found.movies = self._has.total()
        for has, count in self._has.items():
            found.complete.update({name: count for name, there in zip(FIELDS, has, strict=True) if there})
        found.languages = self._languages.named()
        found.countries = self._countries.named()
        found.genres = self._genres.named()
        for person, place in self._casts.most_connected(CONNECTED).items():
            name = _name_in(line_of(place.last), person)
            found.connected.append(Connected(name, person, place.others, place.movies))
        return found


# any() of a generator takes three times as long, and these are asked four times a movie.


def _any(entries: Iterable[Counted | None] | None) -> bool:
    """Whether any has an ID."""
    for entry in entries or ():  # noqa: SIM110
        if entry is not None and entry.id is not None:
            return True
    return False


def _any_credit(entries: Iterable[Worked | None] | None) -> bool:
    """Whether any has a credit's ID."""
    for entry in entries or ():  # noqa: SIM110
        if entry is not None and entry.credit_id:
            return True
    return False


def _year(text: str | None) -> int | None:
    """Of a day as ISO 8601 writes it, as in the tables."""
    if text is None or len(text) != 10 or not text.isascii() or text[4] != "-" or text[7] != "-":
        return None
    try:
        return date.fromisoformat(text).year
    except ValueError:
        return None


def _name_in(line: bytes, person: int) -> str:
    """What a movie calls a person of its cast."""
    credits = reader(WithNames)(line).credits
    cast = (credits and credits.cast) or ()
    return next((entry.name for entry in cast if entry and entry.id == person and entry.name), str(person))
