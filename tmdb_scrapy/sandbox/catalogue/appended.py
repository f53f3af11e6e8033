"""The parts that `append_to_response` adds to a record, joined from pools of ready-made entries.

Joining encoded entries is some ten times cheaper than encoding them anew, which lets one core serve a
catalogue of a million movies without storing it.
"""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from tmdb_scrapy.sandbox.catalogue import words
from tmdb_scrapy.sandbox.catalogue.draws import Draw, mix
from tmdb_scrapy.sandbox.catalogue.ids import SparseIds

MOVIE_SALT = 1
PERSON_SALT = 2
_POOL = 600

GENRES = [
    (28, "Action"), (12, "Adventure"), (16, "Animation"), (35, "Comedy"), (80, "Crime"), (99, "Documentary"),
    (18, "Drama"), (10751, "Family"), (14, "Fantasy"), (36, "History"), (27, "Horror"), (10402, "Music"),
    (9648, "Mystery"), (10749, "Romance"), (878, "Science Fiction"), (10770, "TV Movie"), (53, "Thriller"),
    (10752, "War"), (37, "Western"),
]  # fmt: skip
_JOBS = [
    ("Directing", "Director"), ("Writing", "Screenplay"), ("Production", "Producer"), ("Sound", "Foley"),
    ("Editing", "Editor"), ("Camera", "Director of Photography"), ("Art", "Set Decoration"),
    ("Crew", "Stunts"), ("Visual Effects", "Animation"), ("Costume & Make-Up", "Makeup Artist"),
]  # fmt: skip

EMPTY: dict[str, bytes] = {
    "alternative_titles": b'{"titles":[]}',
    "external_ids": b'{"imdb_id":null,"wikidata_id":null,"facebook_id":null}',
    "images": b'{"backdrops":[],"logos":[],"posters":[]}',
    "release_dates": b'{"results":[]}',
    "reviews": b'{"page":1,"results":[],"total_pages":0,"total_results":0}',
    "translations": b'{"translations":[]}',
    "videos": b'{"results":[]}',
}
"""Parts that exist on TMDb and have nothing in them here."""


def movie_title(seed: int, movie_id: int) -> str:
    return words.title(mix(seed, MOVIE_SALT, movie_id, 1))


def person_name(seed: int, person_id: int) -> str:
    return words.name(mix(seed, PERSON_SALT, person_id, 1))


def image_path(draw: Draw) -> str | None:
    """TMDb's form of an image path; null as often as not."""
    return f"/{draw.getrandbits(160):027x}"[:28] + ".jpg" if draw.random() < 0.6 else None


class Appended:
    """Builds appended parts for one seed. Every method returns encoded JSON."""

    def __init__(self, seed: int) -> None:
        draw = Draw(seed)
        people = [_person_card(seed, person_id, draw) for person_id in SparseIds(seed, PERSON_SALT, _POOL)]
        cards = [_movie_card(seed, movie_id, draw) for movie_id in SparseIds(seed, MOVIE_SALT, _POOL)]
        self._cast = [_opened(person | _cast_fields(draw)) for person in people]
        self._crew = [msgspec.json.encode(person | _crew_fields(draw)) for person in people]
        self._movies = [msgspec.json.encode(card) for card in cards]
        self._played = [_opened(card | _played_fields(draw)) for card in cards]
        self._worked = [msgspec.json.encode(card | _crew_fields(draw)) for card in cards]
        self._keywords = [
            msgspec.json.encode({"id": number, "name": word}) for number, word in enumerate(words.WORDS, 1)
        ]

    def credits(self, draw: Draw, cast: int, crew: int) -> bytes:
        """Of a movie: so many actors and so many others."""
        return _two_lists(_numbered(draw, self._cast, cast), draw.run(self._crew, crew))

    def movie_credits(self, draw: Draw, cast: int, crew: int) -> bytes:
        """Of a person: so many parts played and so many other jobs."""
        return _two_lists(_numbered(draw, self._played, cast), draw.run(self._worked, crew))

    def keywords(self, draw: Draw, count: int) -> bytes:
        return b'{"keywords":[%b]}' % b",".join(draw.run(self._keywords, count))

    def movies(self, draw: Draw, count: int) -> bytes:
        """A first page of `similar` or `recommendations`."""
        results = b",".join(draw.run(self._movies, count))
        pages = 1 + count // 20
        return b'{"page":1,"results":[%b],"total_pages":%d,"total_results":%d}' % (results, pages, count)


def splice(record: bytes, parts: dict[str, bytes]) -> bytes:
    """Put encoded parts before the closing brace of an encoded record; the rest stays as it is."""
    if not parts:
        return record
    opened = record.rstrip()[:-1]
    comma = b"" if opened.endswith(b"{") else b","
    added = b",".join(b'"%b":%b' % (name.encode(), part) for name, part in parts.items())
    return opened + comma + added + b"}"


def padded(record: bytes, field: str, size: int) -> bytes:
    """Lengthen a text field of an encoded record until the whole has `size` bytes."""
    if len(record) >= size:
        return record
    opening = b'"%b":"' % field.encode()
    return record.replace(opening, opening + words.filler(size - len(record)), 1)


def _numbered(draw: Draw, pool: Sequence[bytes], count: int) -> list[bytes]:
    return [b'%b,"order":%d}' % (entry, order) for order, entry in enumerate(draw.run(pool, count))]


def _two_lists(cast: Sequence[bytes], crew: Sequence[bytes]) -> bytes:
    return b'{"cast":[%b],"crew":[%b]}' % (b",".join(cast), b",".join(crew))


def _opened(card: dict[str, object]) -> bytes:
    """Encoded without the closing brace, for a last field that depends on the position."""
    return msgspec.json.encode(card)[:-1]


def _person_card(seed: int, person_id: int, draw: Draw) -> dict[str, object]:
    name = person_name(seed, person_id)
    return {
        "adult": False,
        "gender": draw.between(0, 2),
        "id": person_id,
        "known_for_department": draw.pick(_JOBS)[0],
        "name": name,
        "original_name": name,
        "popularity": round(draw.paretovariate(2) - 1, 4),
        "profile_path": image_path(draw),
    }


def _movie_card(seed: int, movie_id: int, draw: Draw) -> dict[str, object]:
    title = movie_title(seed, movie_id)
    return {
        "adult": False,
        "backdrop_path": image_path(draw),
        "genre_ids": [number for number, _ in draw.sample(GENRES, draw.between(0, 3))],
        "id": movie_id,
        "title": title,
        "original_language": draw.pick(["en", "fr", "ja", "hi", "es"]),
        "original_title": title,
        "overview": words.sentence(draw, draw.between(0, 40)),
        "popularity": round(draw.paretovariate(2) - 1, 4),
        "poster_path": image_path(draw),
        "release_date": f"{draw.between(1930, 2026)}-{draw.between(1, 12):02}-{draw.between(1, 28):02}",
        "softcore": False,
        "video": False,
        "vote_average": round(draw.uniform(0, 10), 3),
        "vote_count": int(draw.paretovariate(0.7)),
    }


def _cast_fields(draw: Draw) -> dict[str, object]:
    return {
        "cast_id": draw.between(1, 200),
        "character": words.name(draw.getrandbits(64)),
        "credit_id": f"{draw.getrandbits(96):024x}",
    }


def _played_fields(draw: Draw) -> dict[str, object]:
    return {"character": words.name(draw.getrandbits(64)), "credit_id": f"{draw.getrandbits(96):024x}"}


def _crew_fields(draw: Draw) -> dict[str, object]:
    department, job = draw.pick(_JOBS)
    return {"credit_id": f"{draw.getrandbits(96):024x}", "department": department, "job": job}
